"""Ten thousand transfers among fifty wallets while everything is killed: not one amount is lost.

    python -m tests.e2e.transfer_storm [--transfers 10000] [--kills 20] [--seed 7]

Thirty-two clients send each transfer until it is answered, three in ten with a credit that fails;
meanwhile the API, the worker and PostgreSQL are killed with -9, whoever is up, and somebody looks
at the books in snapshots. Afterwards what clients were told is compared with what is there.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
from tests.support import instants
from tests.support.live import Answer, Visitor, visitor
from tests.support.storms import Storm, settled
from tests.support.tree import Part, Tree, running

from bursar.domain.ids import parse_id
from bursar.runtime.embedded import EmbeddedPostgres

WALLETS: Final = 50
CLIENTS: Final = 32
STOCK: Final = 20_000
CENTS_MAX: Final = 900
PROVOKED: Final = {"none": 65, "refuse": 24, "time_out": 6, "later": 5}
"""How often each is asked for: three in ten have a credit that fails, some one that comes later."""
REPEATED_SHARE: Final = 0.05
LOOK_EVERY_SECONDS: Final = 0.1
CREATED: Final = 201
_ROWS: Final = """
SELECT t.id, t.from_wallet_id, t.to_wallet_id, t.status, t.amount_minor
FROM transfers AS t WHERE t.org_id = $1
"""
_HELD: Final = """
SELECT w.id, a.balance_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id WHERE w.org_id = $1
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, and the seed of its chance."""

    transfers: int
    kills: int
    seed: int


@dataclass
class Told:
    """One transfer as its client knows it."""

    number: int
    sender: str
    receiver: str
    cents: int
    answer: Answer


@dataclass
class Outcome:
    """What was seen."""

    plan: Plan
    told: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    seconds: float = 0
    storm: str = ""
    kills: int = 0
    parts: set[Part] = field(default_factory=set)
    ends: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    seen: Counter[int | None] = field(default_factory=Counter)
    verify: int = -1

    def tell(self) -> None:
        """Print it."""
        rate = len(self.told) / self.seconds
        answers = ", ".join(f"{n} × {what}" for what, n in self.seen.most_common())
        print(f"\ntransfer storm: seed {self.plan.seed}, {self.storm}")
        print(
            f"  {len(self.told)} transfers by {CLIENTS} clients among {WALLETS} wallets in"
            f" {self.seconds:.0f} s ({rate:.0f}/s), {self.retries} retries"
        )
        print("  ended    " + ", ".join(f"{n} {what}" for what, n in sorted(self.ends.items())))
        print(f"  answers  {answers}")
        print(f"  {self.looks} looks from outside; bursar verify exits {self.verify}")
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
    wallets: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.numbers = iter(range(self.plan.transfers))

    async def prepare(self) -> None:
        """Wallets, each with money."""
        for number in range(WALLETS):
            made = await self.who.make("/v1/wallets", {"name": f"W{number}"}, f"wallet-{number}")
            deposit = f"/v1/wallets/{made['id']}/deposit"
            await self.who.make(deposit, {"amountCents": STOCK}, f"deposit-{number}")
            self.wallets.append(made["id"])

    async def run(self) -> None:
        """All clients, until nothing is left to send."""
        await asyncio.gather(*(self._client() for _ in range(CLIENTS)))

    async def _client(self) -> None:
        for number in self.numbers:
            sender, receiver = self.chance.sample(self.wallets, 2)
            cents = self.chance.randint(1, CENTS_MAX)
            body = {"fromWalletId": sender, "toWalletId": receiver, "amountCents": cents}
            (provoked,) = self.chance.choices(list(PROVOKED), list(PROVOKED.values()))
            if provoked != "none":
                body["metadata"] = {"provoke": provoked}
            await self._sent(Told(number, sender, receiver, cents, Answer(0, b"")), body)

    async def _sent(self, told: Told, body: dict[str, Any]) -> None:
        key = f"storm-{told.number}"
        told.answer = await self.who.until_answered("/v1/transactions", body, key)
        self.outcome.told.append(told)
        if self.chance.random() < REPEATED_SHARE:
            again = await self.who.until_answered("/v1/transactions", body, key)
            if again != told.answer:
                self.outcome.wrong.append(f"A2 {key}: {told.answer.body!r}, then {again.body!r}")


async def rage(storm: Storm, rush: asyncio.Task[None], outcome: Outcome) -> None:
    """Kills spread over the whole rush; whoever was hit must be back before it is hit again."""
    plan = outcome.plan
    while not rush.done():
        due = (len(storm.kills) + 0.5) * plan.transfers / plan.kills
        if len(outcome.told) >= due:
            await storm.strike()
        await asyncio.sleep(0.05)


async def keep_looking(url: str, org_id: UUID, outcome: Outcome) -> None:
    """Somebody with snapshots of their own, who comes back whenever PostgreSQL does."""
    while True:
        with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(url, timeout=5, command_timeout=10)
            try:
                while True:
                    outcome.wrong += await instants.look(connection, org_id)
                    outcome.looks += 1
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
            finally:
                connection.terminate()
        await asyncio.sleep(LOOK_EVERY_SECONDS)


async def storm_over(tree: Tree, plan: Plan) -> Outcome:
    """The whole storm over a running installation, and what it left."""
    outcome, chance = Outcome(plan), random.Random(plan.seed)
    postgres = EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    async with visitor(tree, "storm@example.com") as who:
        rush = Rush(who, plan, chance, outcome)
        await rush.prepare()
        org_id = parse_id("org", text=who.org_id)
        looking = asyncio.create_task(keep_looking(urls.owner.reveal(), org_id, outcome))
        storm, began = Storm(tree, random.Random(plan.seed)), time.monotonic()
        running_rush = asyncio.create_task(rush.run())
        await asyncio.gather(running_rush, rage(storm, running_rush, outcome))
        outcome.seconds = time.monotonic() - began
        outcome.retries, outcome.seen = who.retries, who.seen
        await tree.until_healthy()
        left = await settled(tree)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    outcome.storm, outcome.kills = storm.told(), len(storm.kills)
    outcome.parts = {part for _, part in storm.kills}
    if left:
        outcome.wrong.append(f"L1 left after the storm: {left}")
    await _compare(urls.owner.reveal(), org_id, outcome)
    await postgres.release()
    verify = await tree.command("verify", "--format", "json")
    said, _ = await verify.communicate()
    outcome.verify = verify.returncode if verify.returncode is not None else -1
    if outcome.verify:
        outcome.wrong.append(said.decode()[-2_000:])
    return outcome


async def _compare(url: str, org_id: UUID, outcome: Outcome) -> None:
    """Our own books, from what clients were told, beside what is there."""
    connection = await asyncpg.connect(url)
    rows = {f"txn_{row['id']}": row for row in await connection.fetch(_ROWS, org_id)}
    held = {
        f"wal_{row['id']}": row["balance_minor"] for row in await connection.fetch(_HELD, org_id)
    }
    outcome.wrong += await instants.look(connection, org_id)
    await connection.close()
    books = dict.fromkeys(held, STOCK)
    known: set[str] = set()
    for told in outcome.told:
        if told.answer.status != CREATED:
            outcome.ends[f"refused {told.answer.error['code']}"] += 1
            continue
        outcome.wrong += list(_judged(told, rows, known))
        one = told.answer.value["id"]
        status = rows[one]["status"] if one in rows else "LOST"
        outcome.ends[status] += 1
        if status == "COMPLETED":
            books[told.sender] -= told.cents
            books[told.receiver] += told.cents
    if rows.keys() - known:
        outcome.wrong.append(f"A2 nobody was told of {sorted(rows.keys() - known)[:5]}")
    for wallet, minor in held.items():
        if minor != books[wallet]:
            outcome.wrong.append(f"M2 {wallet} holds {minor}, clients' books say {books[wallet]}")
    if sum(held.values()) != STOCK * WALLETS:
        outcome.wrong.append(f"M6 {sum(held.values())} is held, {STOCK * WALLETS} was deposited")


def _judged(told: Told, rows: dict[str, Any], known: set[str]) -> Iterator[str]:
    """A1: what was acknowledged is there, once, and as it was said."""
    said = told.answer.value
    one, row = said["id"], rows.get(said["id"])
    if one in known:
        yield f"A2 two requests were told of {one}"
    known.add(one)
    if row is None:
        yield f"A1 {one} was acknowledged, and is not there"
    elif said["status"] not in {"DEBITED", row["status"]}:
        yield f"A1 {one} was told to be {said['status']}, it is {row['status']}"
    elif (row["amount_minor"], f"wal_{row['from_wallet_id']}") != (told.cents, told.sender):
        yield f"A1 {one} is not what was asked for"


async def _whole(plan: Plan) -> int:
    async with running() as tree:
        outcome = await storm_over(tree, plan)
    outcome.tell()
    if outcome.kills < plan.kills:
        print(f"transfer storm: only {outcome.kills} kills")
    return bool(outcome.wrong) or outcome.kills < plan.kills


def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--transfers", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=24)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = options.parse_args()
    return asyncio.run(_whole(Plan(given.transfers, given.kills, given.seed)))


if __name__ == "__main__":
    sys.exit(main())
