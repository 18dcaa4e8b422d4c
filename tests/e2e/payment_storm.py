"""Two thousand payments and refunds over a line that loses one message in five, amid kill -9.

    python -m tests.e2e.payment_storm [--payments 2000] [--kills 16] [--seed 7]

Between Bursar and the processor requests, answers and webhooks are dropped, delayed, repeated and
reordered, while API and worker are killed. Clients send everything until it is answered, now and
then twice. Afterwards the processor's books are held against ours and against what clients heard.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
from tests.support.bad_line import BadLine
from tests.support.live import Answer, Visitor, visitor
from tests.support.processor_books import wrong_books
from tests.support.sandbox import browse
from tests.support.storms import Storm
from tests.support.tree import Part, Tree, running

from bursar.domain.ids import parse_id
from bursar.main import sandbox_account
from bursar.runtime.embedded import EmbeddedPostgres
from bursar.runtime.settings import load
from bursar_sandbox.core.outbox import Endpoint
from bursar_sandbox.sandbox import Sandbox, SandboxSettings
from bursar_sandbox.server import Shell, bound

SHARE: Final = 0.2
CLIENTS: Final = 16
CUSTOMERS: Final = 24
CARDS: Final = (*("pm_card_visa",) * 5, "pm_sandbox_later_insufficient_funds")
REPEATED_SHARE: Final = 0.1
RIVAL_SHARE: Final = 0.1
PAGE_SHARE: Final = 0.25
REFUND_SHARE: Final = 0.45
CENTS: Final = (500, 20_000)
SETTLE_SECONDS: Final = 150
_CONFLICT: Final = 409
_SHOTS: Final = (Part.API, Part.WORKER)
_LEFT: Final = """
    SELECT
        (SELECT count(*) FROM payments
            WHERE status IN ('pending', 'requires_action', 'processing')) AS open_payments,
        (SELECT count(*) FROM refunds WHERE status IN ('pending', 'processing')) AS open_refunds,
        (SELECT count(*) FROM provider_events WHERE handled_at IS NULL) AS unhandled_events,
        (SELECT count(*) FROM queue.pgqueuer WHERE status <> 'failed') AS jobs,
        (SELECT count(*) FROM queue.pgqueuer WHERE status = 'failed') AS dead_letters
"""
_PAGES: Final = """
    SELECT checkout_url FROM payments WHERE status = 'pending' AND checkout_url IS NOT NULL
"""
_WATCHED: Final = """
    UPDATE agenda SET due_at = now() - interval '1 second', leased_until = NULL WHERE clock = 'wall'
"""
_PUT_OFF: Final = """
    UPDATE queue.pgqueuer SET execute_after = now() - interval '1 second' WHERE status = 'queued'
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many payments and refunds together, and the seed of their chance."""

    payments: int
    kills: int
    seed: int


@dataclass
class Outcome:
    """What was seen."""

    plan: Plan
    paid: list[Answer] = field(default_factory=list)
    refunded: list[Answer] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0
    storm: str = ""
    line: str = ""
    kills: int = 0
    retries: int = 0
    seen: Counter[int | None] = field(default_factory=Counter)
    exits: dict[str, int | None] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """Payments and refunds that were answered."""
        return len(self.paid) + len(self.refunded)

    def tell(self) -> None:
        """Print it."""
        answers = ", ".join(f"{n} × {what}" for what, n in self.seen.most_common())
        ends = Counter(answer.status for answer in self.paid)
        print(f"\npayment storm: seed {self.plan.seed}, {self.storm}")
        print(f"  line     {self.line}")
        print(
            f"  {len(self.paid)} payments and {len(self.refunded)} refunds by {CLIENTS} clients in"
            f" {self.seconds:.0f} s, {self.retries} retries"
        )
        print(f"  payments {', '.join(f'{n} × {what}' for what, n in ends.most_common())}")
        print(f"  answers  {answers}; exits {self.exits}; wrong {len(self.wrong)}")
        for each in self.wrong[:20]:
            print(f"    {each}")


@dataclass
class Rush:
    """The clients of one storm, and the browsers of their customers."""

    who: Visitor
    sandbox: Sandbox
    plan: Plan
    chance: random.Random
    outcome: Outcome
    customers: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = iter(range(self.plan.payments))

    async def prepare(self) -> None:
        """Customers with a card on file, one in six with an empty account behind it."""
        for number in range(CUSTOMERS):
            buyer = {"name": f"C{number}", "email": f"c{number}@example.com"}
            made = await self.who.make("/v1/customers", buyer, f"customer-{number}")
            card = {"customerId": made["id"], "providerToken": CARDS[number % len(CARDS)]}
            await self.who.make("/v1/payment-methods", card, f"card-{number}")
            self.customers.append(made["id"])

    async def run(self) -> None:
        """All clients, until enough was asked for."""
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))

    async def _client(self) -> None:
        for number in self.numbers:
            if self.outcome.done >= self.plan.payments:
                return
            await self._one(number)

    async def _one(self, number: int) -> None:
        chance, cents = self.chance, self.chance.randint(*CENTS)
        line = {"description": "Work", "quantity": 1, "unitAmountCents": cents}
        body = {"customerId": chance.choice(self.customers), "lines": [line]}
        draft = await self.who.make("/v1/invoices", body, f"draft-{number}")
        finalize = f"/v1/invoices/{draft['id']}/finalize"
        await self.who.make(finalize, {}, f"final-{number}")
        mode = {"mode": "checkout" if chance.random() < PAGE_SHARE else "charge"}
        asking = [self._asked(f"/v1/invoices/{draft['id']}/pay", mode, f"pay-{number}")]
        if chance.random() < RIVAL_SHARE:
            asking.append(self._asked(f"/v1/invoices/{draft['id']}/pay", mode, f"rival-{number}"))
        for answer in await asyncio.gather(*asking):
            self.outcome.paid.append(answer)
            if answer.status < 300:
                await self._after(answer.value["payment"], number)

    async def _after(self, payment: dict[str, Any], number: int) -> None:
        """The customer goes to the page; money that came is given back now and then."""
        if payment["checkoutUrl"] is not None:
            pay_on(self.sandbox, payment["checkoutUrl"])
        if payment["status"] == "succeeded" and self.chance.random() < REFUND_SHARE:
            path, body = f"/v1/payments/{payment['id']}/refund", {}
            if self.chance.random() < 0.5:
                path = f"/v1/payments/{payment['id']}/partial-refund"
                body = {"amountCents": self.chance.randint(1, payment["amountCents"])}
            self.outcome.refunded.append(await self._asked(path, body, f"refund-{number}"))

    async def _asked(self, path: str, body: dict[str, Any], key: str) -> Answer:
        answer = await self.who.until_answered(path, body, key)
        if self.chance.random() < REPEATED_SHARE:
            again = await self.who.until_answered(path, body, key)
            if again != answer and answer.status != _CONFLICT:  # who lost a race may win the next
                self.outcome.wrong.append(f"{key}: {answer.body!r}, then {again.body!r}")
        return answer


def pay_on(sandbox: Sandbox, page: str) -> None:
    """As a browser does, straight to the processor."""
    browse(sandbox, "POST", page, number="4242424242424242", expiry="12/34", cvc="123")


@asynccontextmanager
async def processor(tree: Tree, line: BadLine) -> AsyncIterator[Sandbox]:
    """A sandbox processor of our own, whose webhooks take the line as well."""
    account = sandbox_account(load(tree.environment))
    listener = bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    endpoint = Endpoint(f"{line.url}/webhooks/sandbox", account.webhook_secrets[0])
    sandbox = Sandbox(SandboxSettings(account.api_key, public_url=url, endpoints=(endpoint,)))
    line.processor_url, line.api_url = url, tree.url
    shell = Shell(sandbox)
    await shell.start(listener)
    try:
        yield sandbox
    finally:
        await shell.stop()


async def rage(storm: Storm, rush: asyncio.Task[None], outcome: Outcome) -> None:
    """Kills spread over the whole rush; whoever was hit must be back before it is hit again."""
    while not rush.done():
        due = (len(storm.kills) + 0.5) * outcome.plan.payments / outcome.plan.kills
        if outcome.done >= due:
            await storm.strike()
        await asyncio.sleep(0.05)


async def storm_over(tree: Tree, line: BadLine, plan: Plan) -> Outcome:
    """The whole storm over a running installation, and what it left."""
    outcome, chance = Outcome(plan), random.Random(plan.seed)
    postgres = EmbeddedPostgres(tree.postgres_dir)
    owner = (await postgres.ensure_running()).owner.reveal()
    async with processor(tree, line) as sandbox, visitor(tree, "storm@example.com") as who:
        rush = Rush(who, sandbox, plan, chance, outcome)
        await rush.prepare()
        storm, began = Storm(tree, random.Random(plan.seed), _SHOTS), time.monotonic()
        line.is_calm = False
        running_rush = asyncio.create_task(rush.run())
        await asyncio.gather(running_rush, rage(storm, running_rush, outcome))
        line.is_calm = True
        outcome.seconds = time.monotonic() - began
        await tree.until_healthy()
        if left := await settled(owner, sandbox):
            outcome.wrong.append(f"left after the storm: {left}")
        outcome.retries, outcome.seen = who.retries, who.seen
        outcome.storm, outcome.kills = storm.told(), len(storm.kills)
        outcome.line = line.told()
        org_id = parse_id("org", text=who.org_id)
        await _compare(owner, org_id, sandbox, outcome)
        await _command(tree, outcome, "report", "reconcile", "--org", who.org_id)
        await _command(tree, outcome, "verify")
    await postgres.release()
    return outcome


async def settled(url: str, sandbox: Sandbox) -> dict[str, int]:
    """Customers come back to their pages, watchdogs' time comes, until nothing is left to do."""
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + SETTLE_SECONDS
    left: dict[str, int] = {}
    try:
        while time.monotonic() < deadline:
            row = await connection.fetchrow(_LEFT)
            assert row is not None
            left = {name: count for name, count in row.items() if count}
            if not left:
                break
            for page in await connection.fetch(_PAGES):
                pay_on(sandbox, page["checkout_url"])
            await connection.execute(_WATCHED)
            await connection.execute(_PUT_OFF)
            await asyncio.sleep(1)
    finally:
        await connection.close()
    return left


async def _compare(url: str, org_id: UUID, sandbox: Sandbox, outcome: Outcome) -> None:
    connection = await asyncpg.connect(url)
    try:
        outcome.wrong += await wrong_books(connection, org_id, sandbox)
        rows = await connection.fetch("SELECT 'pay_' || id FROM payments WHERE org_id = $1", org_id)
    finally:
        await connection.close()
    kept = {row[0] for row in rows}
    for answer in outcome.paid:
        if answer.status < 300 and answer.value["payment"]["id"] not in kept:
            outcome.wrong.append(f"acknowledged, and not there: {answer.body[:200]!r}")
    for answer in (*outcome.paid, *outcome.refunded):
        if answer.status >= 500:
            outcome.wrong.append(f"answered {answer.status}: {answer.body[:200]!r}")


async def _command(tree: Tree, outcome: Outcome, *words: str) -> None:
    """A command that must find nothing."""
    command = await tree.command(*words, "--format", "json")
    said, _ = await command.communicate()
    outcome.exits[words[-1] if len(words) == 1 else words[1]] = command.returncode
    if command.returncode:
        outcome.wrong.append(said.decode()[-2_000:])


@asynccontextmanager
async def stormy(plan: Plan) -> AsyncIterator[tuple[Tree, BadLine]]:
    """An installation whose processor is at the far end of a bad line."""
    async with (
        BadLine(random.Random(plan.seed), SHARE).opened() as line,
        running(sandbox_url=line.url) as tree,
    ):
        yield tree, line


async def _whole(plan: Plan) -> int:
    async with stormy(plan) as (tree, line):
        outcome = await storm_over(tree, line, plan)
        outcome.tell()
        if outcome.wrong:
            print(tree.last_words())
    return bool(outcome.wrong) or outcome.kills < plan.kills


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--payments", type=int, default=2_000)
    options.add_argument("--kills", type=int, default=16)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args()
    return asyncio.run(_whole(Plan(given.payments, given.kills, given.seed)))


if __name__ == "__main__":
    sys.exit(main())
