"""A thousand who want what ten can have: ten get it, and at no commit is anything below zero."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import asyncpg
from tests.support.world import Org, World

from bursar.domain.ids import WalletId, uuid_of
from bursar.domain.refusals import IllegalTransition, InsufficientFunds
from bursar.domain.wallets import Wallet
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    release_hold,
)
from bursar.operations.wallets import WithdrawMoney, withdraw_money
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.connections import DatabaseAway

MANY = 1_000
COVERED = 10
CENTS = 700
LOOK = """
    SELECT a.balance_minor, a.held_minor, -coalesce(sum(e.amount_minor), 0)::bigint AS entered
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.id = $1 GROUP BY a.org_id, a.id
"""


@dataclass
class Watcher:
    """Looks at one wallet's account again and again, each time at one commit's state."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    wallet: Wallet
    balances: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def watch(self, over: asyncio.Event) -> None:
        while not over.is_set():
            async with self.connection.transaction(isolation="repeatable_read", readonly=True):
                row = await self.connection.fetchrow(LOOK, uuid_of(self.wallet.account_id))
            assert row is not None
            if row["balance_minor"] - row["held_minor"] < 0 or row["entered"] < 0:
                self.wrong.append(f"below zero: {dict(row)}")
            if row["balance_minor"] != row["entered"]:
                self.wrong.append(f"not what was entered: {dict(row)}")
            self.balances.append(row["balance_minor"])
            await asyncio.sleep(0)


async def withdraw(org: Org, wallet_id: WalletId) -> str:
    """As a client does: away for a moment means the same request again."""
    caller, command = org.with_key(), WithdrawMoney(wallet_id=wallet_id, amount_minor=CENTS)
    while True:
        try:
            await caller.run(withdraw_money, command)
        except InsufficientFunds:
            return "insufficient"
        except DatabaseAway:
            await asyncio.sleep(0.05)
        else:
            return "done"


async def test_a_thousand_withdraw_what_covers_ten(world: World) -> None:
    # Exactly ten succeed, whoever they are; a reader beside them never sees less than nothing.
    org = await world.org()
    wallet = await org.wallet(COVERED * CENTS + CENTS - 1)
    connection = await world.house.as_owner()
    watcher, over = Watcher(connection, wallet), asyncio.Event()
    watching = asyncio.create_task(watcher.watch(over))
    try:
        told = Counter(await asyncio.gather(*(withdraw(org, wallet.id) for _ in range(MANY))))
    finally:
        over.set()
        await watching
        await connection.close()
    assert told == {"done": COVERED, "insufficient": MANY - COVERED}
    assert watcher.wrong == []
    assert len(set(watcher.balances)) > 1, "the reader saw it happen"
    left = await org.caller.look(wallet_look, wallet.id)
    assert (left.balance.minor, left.available.minor) == (CENTS - 1, CENTS - 1)
    found = await world.operator(org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []


async def test_holds_captures_and_withdrawals_meet(world: World) -> None:
    # Whatever order they come in, what is left is what was there less what was really taken.
    org = await world.org()
    wallet = await org.wallet(100 * CENTS)
    holds = [
        await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=CENTS))
        for _ in range(20)
    ]

    async def take(number: int) -> int:
        hold = holds[number % len(holds)]
        try:
            if number % 3 == 0:
                await org.caller.run(
                    withdraw_money, WithdrawMoney(wallet_id=wallet.id, amount_minor=CENTS)
                )
                return CENTS
            if number % 3 == 1:
                return (
                    await org.caller.run(capture_hold, CaptureHold(hold.id, 300))
                ).captured.minor
            await org.caller.run(release_hold, SettleHold(hold.id))
        except (InsufficientFunds, IllegalTransition):
            pass
        return 0

    taken = sum(await asyncio.gather(*(take(number) for number in range(60))))
    left = await org.caller.look(wallet_look, wallet.id)
    assert left.balance.minor == 100 * CENTS - taken
    assert left.held.is_zero
    found = await world.operator(org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []
