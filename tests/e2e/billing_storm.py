"""A crowd bills the same due set while everything is killed: each period once, no number missing.

    python -m tests.e2e.billing_storm [--subscriptions 400] [--kills 30] [--seed 7]

Three worker processes and sixty-four tasks beside them are given every job three times, in either
lane, and once a second a worker or PostgreSQL is killed with -9. Nobody coordinates them but the
database. Afterwards every period from the start of each subscription is on one invoice.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
from tests.support.live import Visitor, visitor
from tests.support.storms import Storm, settled
from tests.support.tree import Part, Tree, running

from bursar.domain.access import System
from bursar.domain.ids import OrgId, SubscriptionId, print_id, uuid_of
from bursar.domain.tasks import BillDue, BillSubscription
from bursar.main import opened
from bursar.operations.billing_runs import BillChunk, BillOne, bill_chunk, bill_subscription
from bursar.runtime.app import App, Caller
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.embedded import EmbeddedPostgres
from bursar.runtime.settings import load

WORKERS: Final = 3
TASKS: Final = 64
DELIVERED: Final = 3
MONTHS: Final = 12
CHUNK: Final = 5
_CLERKS: Final = 8
_KILL_EVERY_SECONDS: Final = 1.0
_PATIENCE: Final = 300
_SHOTS: Final = (Part.WORKER, Part.POSTGRES)
_SPANS: Final = """
SELECT
    s.id, count(b.*) AS periods, count(DISTINCT b.invoice_id) AS invoices,
    min(b.start_at) = s.started_at AS is_whole, max(b.end_at) = s.period_end_at AS is_current
FROM subscriptions AS s
JOIN billed_periods AS b ON b.org_id = s.org_id AND b.subscription_id = s.id
WHERE s.org_id = $1 GROUP BY s.org_id, s.id
"""
_NUMBERS: Final = "SELECT number FROM invoices WHERE org_id = $1 ORDER BY number NULLS FIRST"
_DUE: Final = """
SELECT count(*) FROM agenda WHERE org_id = $1 AND kind = 'bill_subscription' AND due_at <= now()
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, and the seed of its chance; `is_followed` to the end of every job as well."""

    subscriptions: int
    kills: int
    seed: int
    is_followed: bool = False


@dataclass
class Outcome:
    """What was seen."""

    plan: Plan
    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    invoices: int = 0
    seconds: float = 0
    storm: str = ""
    kills: int = 0
    verify: int = -1

    def tell(self) -> None:
        """Print it."""
        ends = ", ".join(f"{count} {what}" for what, count in self.ends.most_common())
        print(f"\nbilling storm: seed {self.plan.seed}, {self.storm}")
        print(
            f"  {self.invoices} invoices of {self.plan.subscriptions} subscriptions in"
            f" {self.seconds:.0f} s by {TASKS} tasks and {WORKERS} workers"
        )
        print(f"  deliveries to tasks: {ends}")
        print(f"  bursar verify exits {self.verify}; wrong: {len(self.wrong)}")
        for each in self.wrong[:20]:
            print(f"    {each}")


@dataclass
class Crowd:
    """The tasks of one storm, and what is delivered to them."""

    app: App
    org_id: OrgId
    subscriptions: list[SubscriptionId]
    chance: random.Random
    outcome: Outcome
    is_over: bool = False

    @property
    def caller(self) -> Caller:
        return Caller(
            app=self.app, org_id=self.org_id, actor=System("storm"), request_id=str(uuid4())
        )

    async def hand_out(self) -> None:
        """Every job of the workers, three times."""
        jobs = [BillSubscription(each) for each in self.subscriptions] * DELIVERED
        self.chance.shuffle(jobs)
        async with self.app.database.machine() as connection:
            rest = [BillDue()] * DELIVERED
            await self.app.queue.enqueue(connection, self.org_id, [*jobs, *rest])
        self.app.wake()

    async def run(self) -> None:
        """Every delivery, and then all of them again until the storm is over."""
        while True:
            deliveries = iter(self._deliveries())
            ended = await asyncio.gather(
                *(self._task(deliveries) for _ in range(TASKS)), return_exceptions=True
            )
            wrong = (each for each in ended if each is not None)
            self.outcome.wrong.extend(f"{type(each).__name__}: {each}" for each in wrong)
            if self.is_over:
                return

    def _deliveries(self) -> list[BillOne | BillChunk]:
        one_by_one = [BillOne(each) for each in self.subscriptions]
        chunks = [BillChunk(CHUNK)] * (len(one_by_one) // CHUNK)
        jobs: list[BillOne | BillChunk] = [*one_by_one, *chunks] * (MONTHS // 2 * DELIVERED)
        self.chance.shuffle(jobs)
        return jobs

    async def _task(self, deliveries: Iterator[BillOne | BillChunk]) -> None:
        for job in deliveries:
            for _ in range(_PATIENCE):
                if await self._delivered(job):
                    break
                await asyncio.sleep(0.1)

    async def _delivered(self, job: BillOne | BillChunk) -> bool:
        """Whether somebody answered; who did not is asked again, as a queue does."""
        try:
            if isinstance(job, BillChunk):
                made = (await self.caller.run(bill_chunk, job)).invoices
            else:
                made = int(await self.caller.run(bill_subscription, job) is not None)
        except DatabaseAway:
            self.outcome.ends["unanswered"] += 1
            return False
        self.outcome.ends["billed" if made else "found nothing"] += 1
        return True


async def storm_over(tree: Tree, plan: Plan) -> Outcome:
    """The whole storm over a running installation, and what it left."""
    outcome, chance = Outcome(plan), random.Random(plan.seed)
    postgres = EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    async with (
        visitor(tree, "storm@example.com") as who,
        opened(load(tree.environment), "storm") as app,
    ):
        org_id = OrgId(who.org_id)
        with tree.held(Part.WORKER):
            crowd = Crowd(app, org_id, await _sold(who, plan), chance, outcome)
            await crowd.hand_out()
        storm = Storm(tree, random.Random(plan.seed), _SHOTS, (_KILL_EVERY_SECONDS,) * 2)
        began = time.monotonic()
        working = asyncio.create_task(crowd.run())
        while len(storm.kills) < plan.kills and not working.done():
            await asyncio.sleep(_KILL_EVERY_SECONDS)
            await storm.strike()
        crowd.is_over = True
        await working
        outcome.seconds = time.monotonic() - began
        outcome.storm, outcome.kills = storm.told(), len(storm.kills)
    if plan.is_followed and (left := await settled(tree)):
        outcome.wrong.append(f"left after the storm: {left}")
    await _judged(urls.owner.reveal(), uuid_of(org_id), outcome)
    await postgres.release()
    verify = await tree.command("verify", "--format", "json")
    said, _ = await verify.communicate()
    outcome.verify = verify.returncode if verify.returncode is not None else -1
    if outcome.verify:
        outcome.wrong.append(said.decode()[-2_000:])
    return outcome


async def _sold(who: Visitor, plan: Plan) -> list[SubscriptionId]:
    """Subscriptions that began a year ago, of which nothing was billed yet."""
    body = {"name": "Pro", "pricingModel": "flat_rate", "amountCents": 4_900}
    sold = await who.make("/v1/plans", {**body, "billingInterval": "month"}, "plan")
    start = f"{datetime.now(UTC) - timedelta(days=30 * MONTHS):%Y-%m-%d}T00:00:00.000Z"

    async def subscribed(number: int) -> SubscriptionId:
        buyer = {"name": f"C{number}", "email": f"c{number}@example.com"}
        customer = await who.make("/v1/customers", buyer, f"customer-{number}")
        wish = {"customerId": customer["id"], "planId": sold["id"], "startDate": start}
        made = await who.make("/v1/subscriptions", wish, f"subscription-{number}")
        return SubscriptionId(made["id"])

    numbers = iter(range(plan.subscriptions))

    async def clerk() -> list[SubscriptionId]:
        return [await subscribed(number) for number in numbers]

    made = await asyncio.gather(*(clerk() for _ in range(_CLERKS)))
    return [each for some in made for each in some]


async def _judged(url: str, org_id: UUID, outcome: Outcome) -> None:
    """What is there, beside what must be."""
    connection = await asyncpg.connect(url)
    try:
        spans = await connection.fetch(_SPANS, org_id)
        numbers = [row["number"] for row in await connection.fetch(_NUMBERS, org_id)]
        due = await connection.fetchval(_DUE, org_id)
    finally:
        await connection.close()
    outcome.invoices = len(numbers)
    outcome.wrong += list(_wrong(outcome.plan, spans, numbers))
    outcome.wrong += [f"{due} are still due"] if due else []


def _wrong(plan: Plan, spans: list[Any], numbers: list[int]) -> Iterator[str]:
    if len(spans) != plan.subscriptions:
        yield f"{plan.subscriptions - len(spans)} subscriptions were never billed"
    for row in spans:
        if not (row["is_whole"] and row["is_current"]):
            yield f"{print_id('sub', row['id'])} is not covered from its start to its end"
        if row["periods"] != row["invoices"]:
            yield f"{print_id('sub', row['id'])} has {row['periods']} periods, {row['invoices']}"
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"{len(numbers)} invoices are not numbered from 1 without a gap"
    if len(numbers) != sum(row["periods"] for row in spans):
        yield f"{len(numbers)} invoices, {sum(row['periods'] for row in spans)} periods"


async def _whole(plan: Plan) -> int:
    async with running(workers=WORKERS) as tree:
        outcome = await storm_over(tree, plan)
    outcome.tell()
    return bool(outcome.wrong)


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--subscriptions", type=int, default=400)
    options.add_argument("--kills", type=int, default=30)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args()
    plan = Plan(given.subscriptions, given.kills, given.seed, is_followed=True)
    return asyncio.run(_whole(plan))


if __name__ == "__main__":
    sys.exit(main())
