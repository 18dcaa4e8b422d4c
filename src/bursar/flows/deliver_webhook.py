"""Delivers one event to one endpoint: look at what is leased, send, settle.

The lease, which was committed before, is the beginning: a delivery that is not settled is taken up
again when it has run out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from bursar.domain.ids import DeliveryId
from bursar.domain.sending import WebhookRequest
from bursar.domain.shapes.catalog import sample_told_by
from bursar.domain.shapes.events import event_body
from bursar.domain.times import Instant
from bursar.domain.webhook_subscriptions import EndpointStatus, WebhookSubscription
from bursar.domain.webhooks import DeliveryVerdict
from bursar.operations.deliveries import SettleDelivery, settle_delivery
from bursar.reads.deliveries import LeasedDelivery, leased_delivery
from bursar.runtime import tracing
from bursar.runtime.app import Caller
from bursar.runtime.crypto import KeyRing, webhook_headers
from bursar.runtime.doors import Receipt


async def deliver_webhook(
    caller: Caller, delivery_id: DeliveryId, lease: UUID, gate: asyncio.Semaphore
) -> None:
    """One attempt; duplicates can only happen when the record of it is lost, with the same id.

    The gate bounds how many ask the database at once, however many are on the wire.
    """
    async with gate:
        found = await caller.look(leased_delivery, delivery_id, lease)
    if found is None or found.endpoint.status is not EndpointStatus.ACTIVE:
        return
    request = signed_request(caller.app.keys, found)
    with tracing.delivery(
        caller.app.tracer, name="webhook.deliver", request_id=request.caused_by
    ) as told:
        answer = await caller.app.sender.send(request.with_headers(tracing.carrier()))
        if told is not None:
            told.set_attribute("bursar.verdict", answer.verdict.value)
    caller.app.telemetry.webhook_attempted(
        status=answer.verdict.value, seconds=answer.duration_ms / 1000
    )
    command = SettleDelivery(found.id, found.lease, answer)
    await _kept(caller, command) or await _through(
        gate, lambda: caller.run(settle_delivery, command)
    )


async def _kept(caller: Caller, command: SettleDelivery) -> bool:
    """Whether it was a good answer, and is recorded together with those of others."""
    if command.answer.verdict is not DeliveryVerdict.DELIVERED:
        return False
    assert caller.org_id is not None, "a delivery belongs to an organization"
    receipt = Receipt(caller.org_id, command.delivery_id, command.lease, command.answer)
    return await caller.app.keep_delivered(receipt)


async def _through(gate: asyncio.Semaphore, settle: Callable[[], Awaitable[None]]) -> bool:
    async with gate:
        await settle()
    return True


def signed_request(keys: KeyRing, found: LeasedDelivery) -> WebhookRequest:
    """The request that carries it, signed at the moment of the look."""
    event, endpoint = found.event, found.endpoint
    is_sample = found.told_as != event.name
    body = sample_told_by(event, found.told_as) if is_sample else event_body(event)
    headers = webhook_headers(
        _secrets(keys, endpoint, found.at),
        event.id,
        found.at,
        body,
        is_signed_twice=endpoint.has_body_signature,
    )
    return WebhookRequest(url=endpoint.url, body=body, headers=headers, caused_by=event.request_id)


def _secrets(keys: KeyRing, endpoint: WebhookSubscription, at: Instant) -> tuple[str, ...]:
    """What signs it, the current secret first."""
    sealed = [endpoint.secret_sealed]
    until = endpoint.former_secret_until
    if endpoint.former_secret_sealed is not None and until is not None and until > at:
        sealed.append(endpoint.former_secret_sealed)
    context = endpoint.id.encode()
    return tuple(keys.unseal(each, context=context).decode() for each in sealed)
