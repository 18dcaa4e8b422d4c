"""Traces: one request, the job it caused and the webhook about it are one story, by OTLP."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.api.client import Client
from tests.support.collector import Collector, collecting
from tests.support.world import Org, World

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.domain.orgs import Mode
from bursar.jobs import dispatch
from bursar.jobs.handlers import run_task
from bursar.jobs.queue_loop import QueueLoop
from bursar.main import Strangers, build
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.providers.guard import PAYMENT_PROVIDER, CircuitBreaker, GuardedProvider
from bursar.providers.otlp import tracer_to
from bursar.runtime import tracing
from bursar.runtime.app import App
from bursar.runtime.clock import monotonic
from bursar.runtime.limits import RateLimiter
from bursar.runtime.secret import Secret

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class Story:
    """What was done, and what the collector heard of it."""

    collector: Collector
    created: UUID
    hook: UUID
    traceparents: list[str]


async def _worked(app: App) -> None:
    """The queues, until nothing is due any more."""
    loop = QueueLoop(app.queue, app.database, app.telemetry, partial(run_task, app), app.tracer)
    running = asyncio.create_task(loop.run())
    for _ in range(100):
        await asyncio.sleep(0.05)
        async with app.database.machine() as connection:
            depths = await app.queue.depth(connection)
        if not any(depth.waiting + depth.running for depth in depths):
            break
    loop.stop()
    await running


async def _paid(world: World, app: App, org: Org, hook: UUID) -> UUID:
    """An invoice, paid on the processor's page; the processor tells it by its webhook."""
    anyone = Client(build_api(app))
    api = anyone.bearing(org.access_token, org.id)
    customer = await org.customer()
    body = {
        "customerId": customer.id,
        "lines": [{"description": "Canary words", "quantity": 1, "unitAmountCents": 4_999}],
    }
    created = uuid4()
    made = await api.post("/v1/invoices", body, **{"X-Request-Id": str(created)})
    assert made.status == 201, made.body
    invoice = made.value["id"]
    await api.post(f"/v1/invoices/{invoice}/finalize")
    started = await api.post(
        f"/v1/invoices/{invoice}/pay", {"mode": "checkout"}, traceparent=CALLER
    )
    world.type_card(started.value["checkoutUrl"])
    for told in world.sandbox.take_deliveries():
        headers = {**told.headers, "X-Request-Id": str(hook)}
        answer = await anyone.ask("POST", "/webhooks/sandbox", told.body, headers=headers)
        assert answer.status == 200, answer.body
    return created


@pytest.fixture(scope="module")
async def story(world: World) -> AsyncIterator[Story]:
    """A checkout from its invoice to the webhook about its payment, with a collector listening."""
    await world.drain()
    org, hook = await world.org(), uuid4()
    subscribed = SubscribeWebhook("https://hooks.example.com/traced", ("invoice.paid",))
    await org.caller.run(subscribe_webhook, subscribed)
    guarded = GuardedProvider(world.provider, CircuitBreaker(PAYMENT_PROVIDER, monotonic))
    strangers = Strangers({Mode.SANDBOX: guarded}, world.postman, world.mailbox)
    with collecting() as collector:
        settings = replace(world.house.settings, otlp_endpoint=collector.url)
        async with build(
            settings, part="api", app_url=world.house.app_url, strangers=strangers
        ) as app:
            created = await _paid(world, app, org, hook)
            await _worked(app)
            await dispatch.relay_events(app)
            await dispatch.deliver_due(app)
        sent = [one for one in world.postman.sent if one.url == subscribed.url]
        yield Story(collector, created, hook, [one.headers.get("traceparent", "") for one in sent])


def _trace(span: Span) -> str:
    return span.trace_id.hex()


def _parents(collector: Collector, span: Span) -> list[str]:
    """The names above a span, from the inside out."""
    spans = {each.span_id: each for each in collector.spans}
    found = []
    while span.parent_span_id in spans:
        span = spans[span.parent_span_id]
        found.append(span.name)
    return found


def test_a_trace_is_named_like_its_request(story: Story) -> None:
    # Without traceparent the request id, which logs and events carry, is the trace's id.
    (request,) = story.collector.named("POST /v1/invoices")
    (create,) = story.collector.named("invoice.create")
    assert _trace(request) == _trace(create) == story.created.hex
    assert request.kind == Span.SPAN_KIND_SERVER
    assert not request.parent_span_id
    assert "POST /v1/invoices" in _parents(story.collector, create)
    told = {each.key: each.value for each in request.attributes}
    assert told["http.route"].string_value == "/v1/invoices"
    assert told["http.response.status_code"].int_value == 201


def test_a_callers_trace_is_continued(story: Story) -> None:
    # traceparent is taken up: same trace, and the caller's span is the parent.
    (request,) = story.collector.named("POST /v1/invoices/{invoiceId}/pay")
    assert _trace(request) == CALLER.split("-")[1]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    (checkout,) = story.collector.named("payment.checkout")
    (call,) = story.collector.named("sandbox open_checkout")
    assert _trace(call) == _trace(request)
    assert checkout.name in _parents(story.collector, call)
    assert call.kind == Span.SPAN_KIND_CLIENT


def test_a_job_and_a_webhook_belong_to_what_caused_them(story: Story) -> None:
    # The processor's webhook, the job it left and our own webhook about it: one trace.
    jobs = [
        each
        for each in story.collector.named("job HandleProviderEvent")
        if _trace(each) == story.hook.hex
    ]
    assert jobs
    assert all(each.kind == Span.SPAN_KIND_CONSUMER for each in jobs)
    hooks = story.collector.named("stripe.webhook")
    assert {_trace(each) for each in hooks} == {story.hook.hex}
    (delivery,) = story.collector.named("webhook.deliver")
    assert _trace(delivery) == story.hook.hex
    assert story.traceparents == [f"00-{story.hook.hex}-{delivery.span_id.hex()}-01"]


def test_statements_are_told_without_their_values(story: Story) -> None:
    # Each round trip to PostgreSQL is a span; nothing that was sent or said is in any of them.
    inside = [each for each in story.collector.spans if _trace(each) == story.created.hex]
    assert {"postgresql BEGIN", "postgresql COMMIT"} <= {each.name for each in inside}
    assert not any(b"Canary" in body or b"Bearer" in body for body in story.collector.bodies)


async def test_redis_is_told_also_when_it_fails() -> None:
    # A call to Redis is a span with the class of its error, and the request goes on.
    with collecting() as collector:
        async with tracer_to(collector.url, part="api", version="1") as tracer:
            limiter = RateLimiter(Secret("redis://127.0.0.1:1/0"))
            with tracing.request(tracer, name="http", request_id=str(uuid4()), traceparent=None):
                await limiter.hit("k", limit=5, window_seconds=60)
            await limiter.close()
    (hit,) = collector.named("redis hit")
    assert hit.status.code == Status.STATUS_CODE_ERROR
    assert _parents(collector, hit) == ["http"]


def test_without_a_tracer_nothing_is_made() -> None:
    # Off costs nothing: one shared nothing for every span, no header, no id.
    with tracing.request(None, name="http", request_id=str(uuid4()), traceparent=CALLER) as root:
        first, second = tracing.span("a"), tracing.span("b")
        assert root is None
        assert first is second
        assert (tracing.carrier(), tracing.names()) == ({}, {})
