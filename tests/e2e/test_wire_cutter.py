"""The wire cutter between Bursar and PostgreSQL: every lost answer is resolved right.

A COMMIT is cut before the server hears it, or after it carried it out and before its answer. The
caller learns that the database was away, sends the same request with the same key again, and there
is one effect, with one answer, however often that happens.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import asyncpg
import msgspec
import pytest
from msgspec import Struct
from tests.support.cutter import LOUD, Cut, WireCutter, wire_cutter
from tests.support.database import Installation
from tests.support.waiting import eventually
from tests.support.world import Org, World, open_world

from bursar.domain.customers import Customer
from bursar.domain.drafting import NewLine
from bursar.domain.events import Row
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.refusals import IdempotencyInProgress
from bursar.domain.shapes.render import shape_of
from bursar.flows.pay_invoice import pay_invoice
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.reads.orgs import organization
from bursar.reads.verify import checks, collected
from bursar.runtime.app import Caller
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.idempotency import Answer, Idempotency, Replayed
from bursar.runtime.ids import new_uuid

TRIES_MAX = 40
LANES = 4
POOL = 10
Act = Callable[[Caller], Awaitable[Any]]


class Wired(Struct, frozen=True):
    """An application whose database is behind a cutter, and the same database without one."""

    world: World
    cutter: WireCutter
    house: Installation

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]:
        """What is in the tables, as the owner sees it."""
        connection = await self.house.as_owner()
        try:
            return await connection.fetch(query, *args)
        finally:
            await connection.close()


@pytest.fixture
async def wired(house: Installation) -> AsyncIterator[Wired]:
    async with behind_cutter(house) as made:
        yield made


@asynccontextmanager
async def behind_cutter(house: Installation) -> AsyncIterator[Wired]:
    async with (
        wire_cutter(house.app_url) as cutter,
        open_world(replace(house, app_url=cutter.url)) as world,
    ):
        yield Wired(world, cutter, house)


def answer_of(row: Row) -> Answer:
    return Answer(200, msgspec.json.encode(shape_of(row)))


@dataclass
class Client:
    """Sends each request until it is answered, always under the same key, as clients are told."""

    caller: Caller
    retries: int = 0

    async def send(self, key: str, act: Act) -> Answer:
        for _ in range(TRIES_MAX):
            idempotency = Idempotency(key, sha256(key.encode()).digest(), new_uuid())
            caller = replace(self.caller, idempotency=idempotency)
            try:
                return answer_of(await act(caller))
            except Replayed as replayed:
                return replayed.answer
            except DatabaseAway:
                self.retries += 1
                await caller.release()
            except IdempotencyInProgress:
                # The release itself was cut; it is on its way.
                await asyncio.sleep(0.05)
        raise AssertionError(f"{key} was never answered")

    async def same(self, key: str, act: Act) -> Answer:
        """Sent twice on purpose: the second answer must be the first, word for word."""
        first = await self.send(key, act)
        assert await self.send(key, act) == first
        return first


@dataclass
class Lane:
    """One customer's invoices, one after the other: drafted, finalized, paid."""

    org: Org
    customer: Customer
    client: Client
    name: str
    rounds: int = 0

    async def round(self) -> None:
        self.rounds += 1
        command = CreateInvoice(
            customer_id=self.customer.id,
            lines=(NewLine("Work", 1, Decimal(1000 + self.rounds)),),
            metadata={},
        )
        key = f"{self.name}-{self.rounds}"
        made = await self.client.same(
            f"{key}-create", lambda caller: caller.run(create_invoice, command, answer=answer_of)
        )
        invoice_id = InvoiceId(msgspec.json.decode(made.body)["id"])
        await self.client.same(
            f"{key}-finalize",
            lambda caller: caller.run(
                finalize_invoice, FinalizeInvoice(invoice_id), answer=answer_of
            ),
        )
        begin = self.org.begin(invoice_id, key=f"{key}-pay")
        await self.client.same(f"{key}-pay", lambda caller: pay_invoice(caller, begin, answer_of))


async def lane(wired: Wired, name: str) -> Lane:
    org = await wired.world.org()
    return Lane(org, await org.customer(), Client(org.caller), name)


def at_random(chance: random.Random, *, share: float) -> Callable[[], Cut | None]:
    kinds = (*LOUD, Cut.DELAYED)
    return lambda: chance.choice(kinds) if chance.random() < share else None


async def cut_until(wired: Wired, lanes: list[Lane], count: int, *, seed: int) -> None:
    """Lanes side by side until so many COMMITs were cut; then the wire is whole again."""
    wired.cutter.choose = at_random(random.Random(seed), share=0.4)

    async def work(one: Lane) -> None:
        while wired.cutter.total < count:
            await one.round()

    await asyncio.gather(*map(work, lanes))
    wired.cutter.choose = lambda: None


async def require_one_effect_each(wired: Wired, one: Lane) -> None:
    """Every round left one invoice, one number, one payment, one charge; all agrees."""
    org = uuid_of(one.org.id)
    rows = await wired.fetch(
        "SELECT count(*) AS invoices, count(DISTINCT total_minor) AS amounts, max(number) AS last,"
        " count(*) FILTER (WHERE status = 'paid') AS paid FROM invoices WHERE org_id = $1",
        org,
    )
    assert tuple(rows[0]) == (one.rounds,) * 4
    rows = await wired.fetch("SELECT status FROM payments WHERE org_id = $1", org)
    assert [row["status"] for row in rows] == ["succeeded"] * one.rounds
    held = await one.org.caller.look(collected)
    charges = await wired.world.provider.booked_charges(one.org.id)
    assert isinstance(charges, tuple)
    assert len(held) == len(charges) == one.rounds
    found = await one.org.caller.look(checks)
    assert {check.name: check.offenders for check in found if not check.is_good} == {}


async def require_clean_pool(wired: Wired, caller: Caller) -> None:
    """No session of ours is left in a transaction, and every pooled connection works."""
    rows = await wired.fetch(
        "SELECT state, query FROM pg_stat_activity"
        " WHERE application_name = 'bursar-test' AND state LIKE 'idle in transaction%'"
    )
    assert rows == []
    # A release that was cut is tried again in the background, a second apart at most.
    await eventually(lambda: wired.world.app.database.pending == 0)
    found = await asyncio.gather(*(caller.look(organization) for _ in range(POOL)))
    assert all(found)


async def run_cuts(wired: Wired, count: int, seed: int) -> None:
    began = time.monotonic()
    lanes = [await lane(wired, f"lane-{number}") for number in range(LANES)]
    await cut_until(wired, lanes, count, seed=seed)
    await wired.world.drain()
    await wired.world.seal()
    for one in lanes:
        await require_one_effect_each(wired, one)
    await require_clean_pool(wired, lanes[0].org.caller)
    cutter = wired.cutter
    print(
        f"wire cutter: seed {seed}, {cutter.total} of {cutter.total + cutter.passed} COMMITs cut,"
        f" {cutter.committed} carried out all the same, {sum(o.client.retries for o in lanes)}"
        f" retries, {sum(o.rounds for o in lanes)} invoices paid once,"
        f" {time.monotonic() - began:.1f} s"
    )
    print("  " + ", ".join(f"{cut} {n}" for cut, n in sorted(cutter.cuts.items())))


async def test_cut_commits_have_one_effect_each(wired: Wired) -> None:
    # Whatever is lost at a COMMIT, the request sent again has one effect and one answer.
    await run_cuts(wired, 40, seed=1)


@pytest.mark.proof
async def test_500_cut_commits_have_one_effect_each(wired: Wired) -> None:
    # The same at length; a new seed every run, and the line printed says which.
    await run_cuts(wired, 500, seed=random.SystemRandom().randrange(10**6))


async def doubled_without_key(wired: Wired, count: int) -> tuple[int, int]:
    """The same retries without a key: how many drafts were asked for, and how many there are."""
    org = await wired.world.org()
    customer = await org.customer()
    command = CreateInvoice(
        customer_id=customer.id, lines=(NewLine("Work", 1, Decimal(1)),), metadata={}
    )
    wired.cutter.choose = at_random(random.Random(count), share=0.5)
    asked = 0
    while wired.cutter.total < count:
        asked += 1
        while True:
            try:
                await org.caller.run(create_invoice, command)
            except DatabaseAway:
                continue
            break
    wired.cutter.choose = lambda: None
    rows = await wired.fetch("SELECT id FROM invoices WHERE org_id = $1", uuid_of(org.id))
    return asked, len(rows)


async def test_without_a_key_effects_double(wired: Wired) -> None:
    # The negative control: each COMMIT that was carried out unheard is one draft too many.
    asked, there = await doubled_without_key(wired, 20)
    print(f"wire cutter, without keys: {asked} drafts asked for, {there} made")
    assert there == asked + wired.cutter.committed
    assert there > asked


async def test_a_release_that_is_lost_is_repeated(wired: Wired) -> None:
    # The attempt is begun unheard, and so is the word that a retry may go on: it comes later.
    one = await lane(wired, "release")
    cuts = iter([Cut.AFTER, Cut.BEFORE, Cut.AFTER, Cut.BEFORE])
    invoice = await one.org.invoice(one.customer)
    begin = one.org.begin(invoice.id, key="release-pay")
    wired.cutter.choose = lambda: next(cuts, None)
    await one.client.same("release-pay", lambda caller: pay_invoice(caller, begin, answer_of))
    assert wired.cutter.total == 4
    one.rounds += 1
    await require_one_effect_each(wired, one)
    await require_clean_pool(wired, one.org.caller)


async def test_a_commit_that_is_never_answered_is_given_up(wired: Wired) -> None:
    # A line that stays open and says nothing: 503 after the deadline, and the retry finds out.
    one = await lane(wired, "silence")
    waits = iter([Cut.SILENCE])
    wired.cutter.choose = lambda: next(waits, None)
    began = time.monotonic()
    await one.round()
    assert 5 <= time.monotonic() - began < 9
    assert (wired.cutter.cuts[Cut.SILENCE], one.client.retries) == (1, 1)
    await require_one_effect_each(wired, one)
    await require_clean_pool(wired, one.org.caller)
