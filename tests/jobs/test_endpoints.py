"""What people do with their endpoints: rotate, pause, test, retry, replay; and how one recovers."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from structlog.testing import capture_logs
from tests.support import lanes
from tests.support.world import Org, World

from bursar.domain.endpoint_health import FAILURES_TO_TRIP
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.mails import MailKind
from bursar.domain.paging import Page
from bursar.domain.refusals import IllegalTransition
from bursar.domain.sending import WebhookAnswer, WebhookRequest
from bursar.domain.wallets import Wallet
from bursar.domain.webhook_subscriptions import (
    Delivery,
    DeliveryStatus,
    EndpointStatus,
    OffReason,
    ReplayScope,
)
from bursar.operations.deliveries import RetryDelivery, retry_delivery
from bursar.operations.wallets import UpdateWallet, update_wallet
from bursar.operations.webhook_subscriptions import (
    NamedWebhook,
    ReplayEvents,
    Subscribed,
    SubscribeWebhook,
    TryWebhook,
    UpdateWebhook,
    pause_webhook,
    replay_events,
    resume_webhook,
    rotate_webhook_secret,
    subscribe_webhook,
    try_webhook,
    update_webhook,
)
from bursar.reads.webhook_subscriptions import (
    DeliveryFilters,
    deliveries,
    endpoint_health,
    webhook_subscription,
)
from bursar.runtime.clock import now

GOOD, BAD, GONE = (WebhookAnswer(status, "", 1) for status in (200, 500, 410))


class Listener:
    """One endpoint of an organization of its own, in whatever mood."""

    def __init__(self, world: World, org: Org, hook: Subscribed) -> None:
        self.world, self.org, self.hook = world, org, hook
        self.id = hook.subscription.id
        self.url = hook.subscription.url

    @property
    def heard(self) -> list[WebhookRequest]:
        return [one for one in self.world.postman.sent if one.url == self.url]

    @property
    def types(self) -> list[str]:
        return [json.loads(one.body)["type"] for one in self.heard]

    def mood(self, answer: Callable[[WebhookRequest], WebhookAnswer]) -> None:
        self.world.postman.mood = lambda one: answer(one) if one.url == self.url else GOOD

    async def rename(self, wallet: Wallet, times: int = 1) -> None:
        """Facts about one wallet."""
        for number in range(times):
            command = UpdateWallet(wallet.id, {"name": f"W {number} {now()}"})
            await self.org.caller.run(update_wallet, command)

    async def later(self, times: int = 1) -> None:
        """The next try's time comes, so many times."""
        for _ in range(times):
            connection = await self.world.house.as_owner()
            await lanes.make_due(connection, uuid_of(self.org.id))
            await connection.close()
            await self.world.drain()

    async def shift_failing(self, by: timedelta) -> None:
        """As if it had been failing for so much longer."""
        connection = await self.world.house.as_owner()
        query = "UPDATE webhook_lanes SET first_failed_at = first_failed_at - $2::interval"
        query += " WHERE org_id = $1"
        await connection.execute(query, uuid_of(self.org.id), by)
        await connection.close()

    async def found(self, **filters: object) -> tuple[Delivery, ...]:
        wanted = replace(DeliveryFilters(), **filters)  # type: ignore[arg-type]  # each by its name
        page = Page(size=100, is_cursor=True)
        return (await self.org.caller.look(deliveries, self.id, page, wanted)).items


@pytest.fixture
async def listener(world: World) -> Listener:
    org = await world.org()
    command = SubscribeWebhook(f"https://hooks.example.com/{org.id}", ("wallet.updated",))
    await org.world.drain()
    return Listener(world, org, await org.caller.run(subscribe_webhook, command))


@pytest.fixture(autouse=True)
def in_a_good_mood(world: World) -> object:
    yield
    world.postman.mood = None


async def test_a_rotated_secret_overlaps(listener: Listener) -> None:
    # Both secrets verify for a day, the new one alone signs the body; then only the new one does.
    wallet = await listener.org.wallet()
    caller, old = listener.org.caller, listener.hook.secret
    new = (await caller.run(rotate_webhook_secret, NamedWebhook(listener.id))).secret
    await listener.rename(wallet)
    await listener.world.drain()
    request = listener.heard[-1]
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(request.body, dict(request.headers))
    connection = await listener.world.house.as_owner()
    await connection.execute(
        "UPDATE webhook_subscriptions SET former_secret_until = now() WHERE org_id = $1",
        uuid_of(listener.org.id),
    )
    await connection.close()
    await listener.rename(wallet)
    await listener.world.drain()
    request = listener.heard[-1]
    Webhook(new).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(request.body, dict(request.headers))


async def test_what_happens_while_paused_comes_in_order(listener: Listener) -> None:
    # Nothing is sent, nothing is lost, nothing overtakes.
    wallet, caller = await listener.org.wallet(), listener.org.caller
    await caller.run(pause_webhook, NamedWebhook(listener.id))
    await listener.rename(wallet, 4)
    await listener.world.drain()
    assert listener.heard == []
    with pytest.raises(IllegalTransition):
        await caller.run(try_webhook, TryWebhook(listener.id))
    await caller.run(resume_webhook, NamedWebhook(listener.id))
    await listener.world.drain()
    sequences = [json.loads(one.body)["sequence"] for one in listener.heard]
    assert sequences == sorted(sequences)
    assert len(sequences) == 4


@pytest.mark.parametrize("told_as", [None, "invoice.paid"])
async def test_a_test_reaches_its_endpoint_alone(listener: Listener, told_as: str | None) -> None:
    # Signed like every other; the type asked for, or a fact about the endpoint itself.
    other = await listener.org.caller.run(
        subscribe_webhook, SubscribeWebhook("https://other.example/", ("*",))
    )
    delivery = await listener.org.caller.run(try_webhook, TryWebhook(listener.id, told_as))
    await listener.world.drain()
    (request,) = listener.heard
    Webhook(listener.hook.secret).verify(request.body, dict(request.headers))
    body = json.loads(request.body)
    assert body["type"] == (told_as or "webhook_subscription.tested")
    assert body["id"] == delivery.event_id == request.headers["webhook-id"]
    assert not [one for one in listener.world.postman.sent if one.url == other.subscription.url]
    (kept,) = await listener.found()
    assert (kept.status, kept.attempts[0].status) == (DeliveryStatus.DELIVERED, 200)


async def test_a_delivered_one_can_be_sent_once_more(listener: Listener) -> None:
    # With the same id and the same bytes; the tries go on counting.
    await listener.rename(await listener.org.wallet())
    await listener.world.drain()
    (delivery,) = await listener.found()
    await listener.org.caller.run(retry_delivery, RetryDelivery(delivery.id))
    await listener.world.drain()
    first, second = listener.heard
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (kept,) = await listener.found()
    assert [one.number for one in kept.attempts] == [1, 2]


async def test_six_tries_and_it_has_failed_until_somebody_retries(listener: Listener) -> None:
    # The first and five more, and the log says so; by hand it gets a schedule of its own.
    await listener.rename(await listener.org.wallet())
    listener.mood(lambda _: BAD)
    with capture_logs() as lines:
        await listener.world.drain()
        await listener.later(6)
    (failed,) = await listener.found()
    assert (failed.status, failed.attempt_count) == (DeliveryStatus.FAILED, 6)
    (told,) = [each for each in lines if each["event"] == "webhook.given_up"]
    assert (told["delivery_id"], told["attempts"], told["status"]) == (failed.id, 6, 500)
    await listener.org.caller.run(retry_delivery, RetryDelivery(failed.id))
    await listener.world.drain()
    (again,) = await listener.found()
    assert (again.status, again.attempt_count) == (DeliveryStatus.PENDING, 7)
    listener.mood(lambda _: GOOD)
    await listener.later()
    (kept,) = await listener.found()
    assert kept.status is DeliveryStatus.DELIVERED


async def test_deliveries_are_found_by_what_they_are(listener: Listener) -> None:
    # By status, type, event, resource and time, alone and together.
    one, two = await listener.org.wallet(), await listener.org.wallet()
    await listener.rename(one)
    await listener.world.drain()
    await listener.rename(two)
    await listener.world.drain()
    newest, oldest = await listener.found()
    assert await listener.found(resource_id=one.id) == (oldest,)
    assert await listener.found(event_id=newest.event_id) == (newest,)
    assert await listener.found(event_types=("invoice.paid",)) == ()
    assert await listener.found(statuses=(DeliveryStatus.FAILED,)) == ()
    assert await listener.found(created_from=newest.created_at) == (newest,)
    both = await listener.found(statuses=(DeliveryStatus.DELIVERED,), created_before=now())
    assert both == (newest, oldest)


async def test_a_stretch_is_replayed_whole_or_as_far_as_it_failed(listener: Listener) -> None:
    # Failed only takes up what failed; all sends every event again, in order and with its id.
    wallet, caller = await listener.org.wallet(), listener.org.caller
    began = now() - timedelta(minutes=1)
    await listener.rename(wallet, 3)
    await listener.world.drain()
    first = [one.headers["webhook-id"] for one in listener.heard]

    async def replayed(scope: ReplayScope) -> int:
        command = ReplayEvents(
            subscription_id=listener.id,
            from_at=began,
            before_at=None,
            scope=scope,
            event_types=(),
            per_second=1000,
        )
        count = (await caller.run(replay_events, command)).delivery_count
        await listener.later()
        return count

    assert await replayed(ReplayScope.FAILED) == 0
    assert await replayed(ReplayScope.ALL) == 3
    assert [one.headers["webhook-id"] for one in listener.heard] == first * 2
    command = UpdateWebhook(listener.id, {"event_types": ("wallet.created", "wallet.updated")})
    await caller.run(update_webhook, command)
    assert await replayed(ReplayScope.MISSED) == 1
    assert listener.types[-1] == "wallet.created"


async def test_a_replay_keeps_its_rate(listener: Listener) -> None:
    # Two a second: the third waits for a second at least.
    wallet = await listener.org.wallet()
    await listener.org.wallet()
    await listener.rename(wallet, 2)
    await listener.rename(await listener.org.wallet(), 2)
    await listener.world.drain()
    began = now()
    command = ReplayEvents(
        subscription_id=listener.id,
        from_at=began - timedelta(minutes=1),
        before_at=None,
        scope=ReplayScope.ALL,
        event_types=(),
        per_second=2,
    )
    await listener.org.caller.run(replay_events, command)
    waiting = await listener.found(statuses=(DeliveryStatus.PENDING,))
    due = sorted(one.next_attempt_at for one in waiting if one.next_attempt_at is not None)
    assert len(due) == 4
    assert due[-1] - due[0] == timedelta(seconds=1.5)


async def test_an_endpoint_that_fails_is_left_alone_and_catches_up(listener: Listener) -> None:
    # Ten failures trip it; then one trial at a time; after three good ones everything flows.
    for _ in range(FAILURES_TO_TRIP + 3):
        await listener.rename(await listener.org.wallet())
    listener.mood(lambda _: BAD)
    await listener.world.drain()
    tried = len(listener.heard)
    assert FAILURES_TO_TRIP <= tried <= FAILURES_TO_TRIP + 1
    condition = await listener.org.caller.look(endpoint_health, listener.id)
    assert condition.health.is_down
    assert condition.waiting_count == FAILURES_TO_TRIP + 3
    await listener.world.drain()
    assert len(listener.heard) == tried
    listener.mood(lambda _: GOOD)
    await listener.later()
    assert {each.status for each in await listener.found()} == {DeliveryStatus.DELIVERED}
    assert not (await listener.org.caller.look(endpoint_health, listener.id)).health.is_down


async def test_five_days_of_failure_switch_it_off_and_resuming_makes_up_for_it(
    listener: Listener,
) -> None:
    # An event and a mail to the owner; what failed and what passed it by is sent when it is back.
    wallet = await listener.org.wallet()
    await listener.rename(wallet)
    listener.mood(lambda _: BAD)
    await listener.world.drain()
    await listener.shift_failing(timedelta(days=5))
    await listener.later()
    off = await listener.org.caller.look(webhook_subscription, listener.id)
    assert (off.status, off.off_reason) == (EndpointStatus.OFF, OffReason.FAILING)
    letters = [
        one for one in listener.world.mailbox.letters if one.kind is MailKind.WEBHOOK_SWITCHED_OFF
    ]
    assert [one.parameters["url"] for one in letters if one.parameters["url"] == listener.url]
    await listener.rename(wallet)
    await listener.world.drain()
    heard = len(listener.heard)
    listener.mood(lambda _: GOOD)
    await listener.org.caller.run(resume_webhook, NamedWebhook(listener.id))
    await listener.world.drain()
    assert listener.types[heard:] == ["wallet.updated", "wallet.updated"]
    assert {each.status for each in await listener.found()} == {DeliveryStatus.DELIVERED}


async def test_gone_is_gone_until_resumed(listener: Listener) -> None:
    # 410 switches it off at once, and says why.
    await listener.rename(await listener.org.wallet())
    listener.mood(lambda _: GONE)
    await listener.world.drain()
    off = await listener.org.caller.look(webhook_subscription, listener.id)
    assert (off.status, off.off_reason) == (EndpointStatus.OFF, OffReason.GONE)
    (delivery,) = await listener.found()
    assert delivery.status is DeliveryStatus.FAILED
    with pytest.raises(IllegalTransition):
        await listener.org.caller.run(retry_delivery, RetryDelivery(delivery.id))
