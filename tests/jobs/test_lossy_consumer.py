"""A consumer for whom everything goes wrong for a day ends with exactly the source's state.

Time is virtual: what waits is shifted. Workers die between any two steps of a delivery, leases run
out, and the consumer loses, refuses, hangs and is away; afterwards it knows every fact, in order.
"""

import json
from asyncio import CancelledError
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from tests.support import lanes
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.rows import row_to_event
from bursar.domain.sending import SendFailure, WebhookAnswer, WebhookRequest
from bursar.domain.wallets import Wallet
from bursar.domain.webhooks import RETRY_DELAYS_SECONDS
from bursar.jobs import dispatch
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.wallets import UpdateWallet, update_wallet
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.runtime.app import App
from bursar.runtime.crypto import sign_standard

HOUR: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)
LOSS: Final = 0.3
DEATH: Final = 0.1
STEPS_MAX: Final = 4_000
# As the standard retries, and then an hour at a time: with six attempts in all, and a third of them
# lost, one fact in some hundreds would be given up, as it should be.
PATIENCE: Final = (*RETRY_DELAYS_SECONDS, *[3_600] * 5)


class WorkerKilled(CancelledError):
    """The process is gone at this point; what it leased is free when the lease runs out.

    A task of a process that is gone does not say so.
    """


@dataclass
class Consumer:
    """Keeps the newest state of each resource, and notes every gap and every forgery."""

    secret: str
    chance: Random
    now: timedelta = timedelta(0)
    states: dict[str, Any] = field(default_factory=dict)
    sequences: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    calls: int = 0

    def answer(self, request: WebhookRequest) -> WebhookAnswer:
        """As the hour is: lossy, broken, hanging, away, lossy again."""
        self.calls += 1
        if self.now < 1 * HOUR:
            return self._lossy(request)
        if self.now < 1.5 * HOUR:
            return WebhookAnswer(500, "later", 1)
        if self.now < 2 * HOUR:
            return WebhookAnswer(None, "", 10_000, SendFailure.TIMEOUT)
        if self.now < 8 * HOUR:
            return WebhookAnswer(None, "", 1, SendFailure.CONNECTION_FAILED)
        return self._lossy(request)

    def _lossy(self, request: WebhookRequest) -> WebhookAnswer:
        draw = self.chance.random()
        if draw >= LOSS / 2:
            self.take(request)
        if draw < LOSS:  # the request was lost, or its answer was
            return WebhookAnswer(None, "", 10_000, SendFailure.TIMEOUT)
        return WebhookAnswer(200, "", 1)

    def take(self, request: WebhookRequest) -> None:
        """Verify, drop what is known, note what is missing, keep the state."""
        headers = request.headers
        signed = sign_standard(
            self.secret,
            message_id=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]),
            body=request.body,
        )
        assert headers["webhook-signature"] == signed
        told = json.loads(request.body)
        self.bodies.setdefault(headers["webhook-id"], set()).add(request.body)
        resource, sequence = told["data"]["id"], told["sequence"]
        if sequence <= self.sequences[resource]:
            return
        if sequence != self.sequences[resource] + 1:
            self.gaps.append(f"{told['type']} {sequence} after {self.sequences[resource]}")
        self.sequences[resource] = sequence
        self.states[resource] = told["data"]


@dataclass
class Story:
    """The source, the consumer, and the time."""

    world: World
    app: App
    org: Org
    owner: lanes.Connection
    consumer: Consumer
    invoices: list[Invoice] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    kills: int = 0

    async def happen(self) -> None:
        """Something new, or something more about what there is."""
        chance, caller = self.consumer.chance, self.org.caller
        match chance.randrange(4):
            case 0:
                self.wallets.append(await self.org.wallet())
            case 1 if self.wallets:
                command = UpdateWallet(
                    chance.choice(self.wallets).id, {"name": f"W{chance.random()}"}
                )
                await caller.run(update_wallet, command)
            case 2 if self.invoices:
                opened = self.invoices.pop()
                await caller.run(finalize_invoice, FinalizeInvoice(opened.id))
                if chance.random() < 0.5:
                    await caller.run(void_invoice, VoidInvoice(opened.id))
            case _:
                self.invoices.append(await self.org.draft(await self.org.customer(None)))

    async def work(self) -> None:
        """One worker's rounds, until it finds nothing more or is killed."""
        for _ in range(20):
            is_busy = await dispatch.relay_events(self.world.app)
            if not await dispatch.deliver_due(self.app) and not is_busy:
                return

    async def pass_time(self, by: timedelta) -> None:
        await lanes.pass_time(self.owner, uuid_of(self.org.id), by)
        self.consumer.now += by

    async def next_moment(self) -> timedelta | None:
        """How long nothing will happen; None when nothing waits any more."""
        query = "SELECT min(ready_at) - now() FROM webhook_lanes WHERE org_id = $1"
        found: timedelta | None = await self.owner.fetchval(query, uuid_of(self.org.id))
        return found

    async def source(self) -> dict[str, Any]:
        """Every resource as its last event in the log shows it."""
        rows = await self.owner.fetch(
            "SELECT DISTINCT ON (resource_id) * FROM events"
            " WHERE org_id = $1 AND is_public ORDER BY resource_id, sequence DESC",
            uuid_of(self.org.id),
        )
        states = [json.loads(row_to_event(row).snapshot) for row in rows]
        return {state["id"]: state for state in states}


@pytest.fixture
async def open_story(world: World) -> AsyncIterator[Callable[[int], Any]]:
    owner = await world.house.as_owner()

    async def opened(seed: int) -> Story:
        org = await world.org()
        await world.drain()
        url = f"https://lossy.example/{org.id}"
        command = SubscribeWebhook(url, ("*",), retry_delays_seconds=PATIENCE)
        hook = await org.caller.run(subscribe_webhook, command)
        consumer = Consumer(hook.secret, Random(seed))
        story: Story

        async def die(point: str) -> None:
            if "delivery" in point and consumer.chance.random() < DEATH:
                story.kills += 1
                raise WorkerKilled(point)

        app = replace(world.app, checkpoint=die)
        story = Story(world, app, org, owner, consumer)
        world.postman.mood = lambda request: (
            consumer.answer(request)
            if request.url == hook.subscription.url
            else WebhookAnswer(200, "", 1)
        )
        return story

    yield opened
    world.postman.mood = None
    await owner.close()


async def told(story: Story, facts: int) -> None:
    """The whole day: facts all along, and then quiet until nothing waits."""
    for _ in range(facts):
        await story.happen()
        await story.work()
        await story.pass_time(8 * HOUR / facts)
    for _ in range(STEPS_MAX):
        await story.work()
        quiet_for = await story.next_moment()
        if quiet_for is None:
            return
        await story.pass_time(max(quiet_for, timedelta(0)) + SECOND)
    raise AssertionError("the deliveries never end")


async def judged(story: Story) -> None:
    consumer = story.consumer
    assert consumer.gaps == []
    assert consumer.states == await story.source()
    assert all(len(bodies) == 1 for bodies in consumer.bodies.values())


async def test_a_short_day_of_losses_ends_well(open_story: Callable[[int], Any]) -> None:
    # Thirty per cent lost, errors, hanging, six hours away, workers killed: nothing is missing.
    story = await open_story(1)
    await told(story, 24)
    await judged(story)
    assert story.kills > 5


@pytest.mark.proof
@pytest.mark.parametrize("seed", [2, 3, 5])
async def test_a_day_of_losses_ends_with_the_source(
    open_story: Callable[[int], Any], seed: int
) -> None:
    # The same with more facts than an endpoint gets in its way, under several seeds.
    story = await open_story(seed)
    await told(story, 150)
    await judged(story)
    print(
        f"seed {seed}: {len(story.consumer.bodies)} events, {story.consumer.calls} requests,"
        f" {story.kills} kills, over after {story.consumer.now}"
    )
