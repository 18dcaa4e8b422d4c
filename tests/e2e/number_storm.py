"""Two thousand invoices by thirty-two clients while everything is killed: numbers without a gap.

    python -m tests.e2e.number_storm [--invoices 2000] [--kills 20] [--scope customer] [--seed 7]

Each client drafts and finalizes under keys until it is answered, asks in between for what must fail
(a document without lines, one that is final already, a dry run) and voids some; meanwhile the API,
the worker and PostgreSQL are killed with -9. Afterwards each series runs from one to its last.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
from tests.support.live import Visitor, visitor
from tests.support.storms import Storm, settled
from tests.support.tree import Tree, running

from bursar.domain.ids import parse_id
from bursar.domain.numbering import NumberScope
from bursar.runtime.embedded import EmbeddedPostgres

CLIENTS: Final = 32
BUYERS: Final = 10
VOIDED_SHARE: Final = 0.15
FAILING_SHARE: Final = 0.3
REFUSED: Final = frozenset({400, 409})
_NUMBERS: Final = """
    SELECT i.id, i.series, i.number, i.status FROM invoices AS i
    WHERE i.org_id = $1 AND i.number IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, whose series, and the seed of its chance."""

    invoices: int
    kills: int
    scope: NumberScope
    seed: int


@dataclass
class Outcome:
    """What was seen."""

    plan: Plan
    told: dict[str, str] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    failed: int = 0
    wrong: list[str] = field(default_factory=list)
    series: dict[str, int] = field(default_factory=dict)
    seconds: float = 0
    storm: str = ""
    kills: int = 0

    def tell(self) -> None:
        """Print it."""
        print(f"\nnumber storm: seed {self.plan.seed}, {self.storm}")
        print(
            f"  {len(self.told)} invoices by {CLIENTS} clients in {self.seconds:.0f} s,"
            f" {len(self.voided)} voided, {self.failed} attempts refused in between"
        )
        for name, last in sorted(self.series.items()):
            print(f"  {name} runs from 1 to {last}")
        print(f"  wrong    {len(self.wrong)}")
        for each in self.wrong[:20]:
            print(f"    {each}")


@dataclass
class Rush:
    """The clients of one storm."""

    who: Visitor
    plan: Plan
    chance: random.Random
    outcome: Outcome
    buyers: list[str] = field(default_factory=list)
    places: Iterator[int] = field(init=False)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    opened: int = 0

    def __post_init__(self) -> None:
        self.places = iter(range(self.plan.invoices))

    async def prepare(self) -> None:
        """Customers, and whose documents share a series."""
        settings = {"invoiceNumbering": self.plan.scope.value}
        changed = await self.who.ask("PATCH", f"/v1/organizations/{self.who.org_id}", settings)
        assert changed is not None
        assert changed.status == 200, changed.body
        for number in range(BUYERS):
            body = {"email": f"b{number}@example.com", "name": "B"}
            made = await self.who.make("/v1/customers", body, f"buyer-{number}")
            self.buyers.append(made["id"])

    async def run(self) -> None:
        """All clients, until nothing is left to finalize."""
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))

    async def _client(self) -> None:
        for place in self.places:
            await self.turns.acquire()
            await self._one(place)

    def open_until(self, count: int) -> None:
        """Let so many invoices begin in all, and no more."""
        for _ in range(self.opened, count):
            self.turns.release()
        self.opened = max(self.opened, count)

    async def _one(self, place: int) -> None:
        buyer = self.chance.choice(self.buyers)
        line = {"description": "Work", "unitAmountCents": 1000}
        draft = await self._draft(buyer, [line], f"draft-{place}")
        if self.chance.random() < FAILING_SHARE:
            await self._fail(buyer, draft, place)
        path = f"/v1/invoices/{draft}"
        final = await self.who.make(f"{path}/finalize", {}, f"finalize-{place}")
        self.outcome.told[draft] = final["invoiceNumber"]
        await self._refused(f"{path}/finalize", f"again-{place}")
        if self.chance.random() < VOIDED_SHARE:
            await self.who.make(f"{path}/void", {}, f"void-{place}")
            self.outcome.voided.add(draft)

    async def _draft(self, buyer: str, lines: list[dict[str, Any]], key: str) -> str:
        body = {"customerId": buyer, "lines": lines}
        made = await self.who.make("/v1/invoices", body, key)
        return str(made["id"])

    async def _fail(self, buyer: str, draft: str, place: int) -> None:
        """What takes no number: nothing to number, and a number that is only looked at."""
        empty = await self._draft(buyer, [], f"empty-{place}")
        await self._refused(f"/v1/invoices/{empty}/finalize", f"fail-{place}")
        dry = f"/v1/invoices/{draft}/finalize?dryRun=true"
        await self.who.make(dry, {}, f"dry-{place}")

    async def _refused(self, path: str, key: str) -> None:
        answer = await self.who.until_answered(path, {}, key)
        self.outcome.failed += 1
        if answer.status not in REFUSED:
            self.outcome.wrong.append(f"{path} was answered {answer.status}")


async def rage(storm: Storm, rush: Rush, rushing: asyncio.Task[None]) -> None:
    """Kills spread over the whole rush; whoever was hit must be back before it is hit again.

    However fast the clients are, they wait for each kill, so that all of them come.
    """
    plan = rush.plan
    while not rushing.done():
        due = (len(storm.kills) + 0.5) * plan.invoices / plan.kills
        rush.open_until(int(due) + CLIENTS)
        if len(rush.outcome.told) >= due:
            await storm.strike()
        await asyncio.sleep(0.05)


async def storm_over(tree: Tree, plan: Plan) -> Outcome:
    """The whole storm over a running installation, and what it left."""
    outcome, postgres = Outcome(plan), EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    async with visitor(tree, f"{plan.scope}@example.com") as who:
        rush = Rush(who, plan, random.Random(plan.seed), outcome)
        await rush.prepare()
        storm, began = Storm(tree, random.Random(plan.seed)), time.monotonic()
        rushing = asyncio.create_task(rush.run())
        await asyncio.gather(rushing, rage(storm, rush, rushing))
        outcome.seconds = time.monotonic() - began
        await tree.until_healthy()
        if left := await settled(tree):
            outcome.wrong.append(f"left after the storm: {left}")
    outcome.storm, outcome.kills = storm.told(), len(storm.kills)
    await _compare(urls.owner.reveal(), parse_id("org", text=who.org_id), outcome)
    await postgres.release()
    verify = await tree.command("verify", "--format", "json")
    said, _ = await verify.communicate()
    if verify.returncode:
        outcome.wrong.append(said.decode()[-2_000:])
    return outcome


async def _compare(url: str, org_id: object, outcome: Outcome) -> None:
    """What clients were told, beside what is there."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(_NUMBERS, org_id)
    await connection.close()
    held = defaultdict[str, list[int]](list)
    there = {f"inv_{row['id']}": row for row in rows}
    for row in rows:
        held[row["series"]].append(row["number"])
    for name, numbers in held.items():
        outcome.series[name] = len(numbers)
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            outcome.wrong.append(f"{name} has a gap or a number twice")
    if there.keys() != outcome.told.keys():
        outcome.wrong.append(f"{len(there)} are numbered, {len(outcome.told)} were told")
    for each, number in outcome.told.items():
        row = there[each]
        if number != f"{row['series']}-{row['number']:05d}":
            outcome.wrong.append(f"{each} was told {number}, it is {row['number']}")
        if (each in outcome.voided) != (row["status"] == "void"):
            outcome.wrong.append(f"{each} is {row['status']}")


async def _whole(plan: Plan) -> int:
    async with running() as tree:
        outcome = await storm_over(tree, plan)
    outcome.tell()
    return bool(outcome.wrong) or outcome.kills < plan.kills


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--invoices", type=int, default=2_000)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--scope", type=NumberScope, default=NumberScope.ORGANIZATION)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args()
    return asyncio.run(_whole(Plan(given.invoices, given.kills, given.scope, given.seed)))


if __name__ == "__main__":
    sys.exit(main())
