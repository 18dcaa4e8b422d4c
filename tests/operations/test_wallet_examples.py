"""The worked examples of docs/domain/wallets.md, carried out line by line as they stand there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from tests.support.world import Org, World

from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.holds import Hold
from bursar.domain.ids import uuid_of
from bursar.domain.payments import PaymentMode
from bursar.domain.wallets import Provocation, Wallet
from bursar.flows.deposit_money import deposit_money
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.transfer_money import transfer_money
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    release_hold,
)
from bursar.operations.transfers import PostTransfer
from bursar.operations.wallets import (
    CloseWallet,
    CreateWallet,
    WithdrawMoney,
    close_wallet,
    create_wallet,
    withdraw_money,
)
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.idempotency import Answer

PAGE = Path(__file__).resolve().parents[2] / "docs/domain/wallets.md"
HEAD = "| move | amount | debits | credits | balance | available |"
ENTRIES = """
    SELECT split_part(a.code, ':', 1) AS word, e.amount_minor > 0 AS is_debit
    FROM ledger_entries AS e
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    WHERE e.org_id = $1 AND NOT e.transaction_id = ANY ($2::uuid[])
        AND e.transaction_id <> ALL (
            SELECT t.id FROM ledger_transactions AS t
            WHERE t.org_id = $1 AND t.kind = 'invoice_finalized'
        )
    ORDER BY e.transaction_id, e.position
"""


def examples() -> list[list[str]]:
    lines = PAGE.read_text().splitlines()
    first = lines.index(HEAD) + 2
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


@dataclass
class Scene:
    """The wallet of the example, and whoever else is needed."""

    org: Org
    customer: Customer
    wallet: Wallet
    holds: list[Hold] = field(default_factory=list)

    async def deposit(self, cents: int) -> None:
        await self.org.deposit(self.wallet.id, cents)

    async def charge(self, cents: int) -> None:
        command = self.org.filling(self.wallet.id, cents, PaymentMode.CHARGE)
        await deposit_money(self.org.caller, command)

    async def hold(self, cents: int) -> None:
        command = CreateHold(wallet_id=self.wallet.id, amount_minor=cents)
        self.holds.append(await self.org.caller.run(create_hold, command))

    async def capture(self, cents: int) -> None:
        await self.org.caller.run(capture_hold, CaptureHold(self.holds[0].id, cents))

    async def release(self, _cents: int) -> None:
        await self.org.caller.run(release_hold, SettleHold(self.holds[1].id))

    async def pay(self, cents: int) -> None:
        invoice = await self.org.invoice(self.customer, cents)
        command = replace(self.org.begin(invoice.id, PaymentMode.WALLET), wallet_id=self.wallet.id)
        await pay_invoice(self.org.caller, command)

    async def send(self, cents: int, provoked: Provocation = Provocation.NONE) -> None:
        made = await self.org.caller.run(
            create_wallet, CreateWallet(name="Other", provoke_credit=provoked)
        )
        command = PostTransfer(
            from_wallet_id=self.wallet.id, to_wallet_id=made.id, amount_minor=cents
        )
        await transfer_money(self.org.caller, command, lambda _: Answer(201, b""))

    async def send_in_vain(self, cents: int) -> None:
        await self.send(cents, Provocation.REFUSE)

    async def withdraw(self, cents: int) -> None:
        command = WithdrawMoney(wallet_id=self.wallet.id, amount_minor=cents)
        await self.org.caller.run(withdraw_money, command)

    async def close(self, _cents: int) -> None:
        await self.org.caller.run(close_wallet, CloseWallet(self.wallet.id))

    @property
    def moves(self) -> dict[str, Callable[[int], Awaitable[Any]]]:
        """What each line of the page says."""
        return {
            "deposit": self.deposit,
            "deposit by charge": self.charge,
            "hold": self.hold,
            "capture a part of the first": self.capture,
            "release the second": self.release,
            "pay an invoice": self.pay,
            "transfer to another": self.send,
            "transfer that is refused": self.send_in_vain,
            "withdraw": self.withdraw,
            "close": self.close,
        }


async def _booked(
    connection: "asyncpg.Connection[asyncpg.Record]", org: Org, known: list[Any]
) -> tuple[str, str]:
    rows = await connection.fetch(ENTRIES, uuid_of(org.id), known)
    debits = [row["word"] for row in rows if row["is_debit"]]
    lent = [row["word"] for row in rows if not row["is_debit"]]
    return ", ".join(debits), ", ".join(lent)


async def test_every_line_of_the_page_is_true(world: World) -> None:
    # What each move books, and what the wallet has afterwards.
    org = await world.org()
    customer = await org.customer()
    scene = Scene(org, customer, await org.wallet(customer=customer))
    lines = examples()
    assert {line[0] for line in lines} == set(scene.moves), "every move has its line"
    connection = await world.house.as_owner()
    known_of = "SELECT array_agg(id) FROM ledger_transactions WHERE org_id = $1"
    try:
        for move, amount, debited, credited, balance, available in lines:
            known = await connection.fetchval(known_of, uuid_of(org.id)) or []
            await scene.moves[move](int(amount or 0))
            assert await _booked(connection, org, known) == (debited, credited), move
            seen = await org.caller.look(wallet_look, scene.wallet.id)
            assert (seen.balance.minor, seen.available.minor) == (int(balance), int(available))
    finally:
        await connection.close()
