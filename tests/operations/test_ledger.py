"""The books carried forward: balances, statements and points in time say what they said."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.ids import print_id, uuid_of
from bursar.domain.ledger import AccountBalance, StatementLine
from bursar.domain.paging import Page
from bursar.operations.ledger import FoldBooks, fold_books
from bursar.operations.transfers import PostTransfer, post_transfer
from bursar.reads.ledger import accounts, statement, trial_balance
from bursar.reads.verify import checks
from bursar.runtime.clock import now

NO_MARGIN = FoldBooks(margin=timedelta(0))


async def moved(org: Org, times: int) -> None:
    sender, receiver = await org.wallet(100 * times), await org.wallet()
    for _ in range(times):
        await org.caller.run(
            post_transfer,
            PostTransfer(from_wallet_id=sender.id, to_wallet_id=receiver.id, amount_minor=100),
        )


async def folded(world: World, org: Org) -> None:
    """Close, and add up once everybody who did not know has ended."""
    system = world.system(org.id)
    assert await system.run(fold_books, NO_MARGIN) > 0
    await system.run(fold_books, NO_MARGIN)


async def books(org: Org) -> dict[str, int]:
    held = await org.caller.look(trial_balance)
    return {each.account.code: each.balance.minor for each in held}


async def account_of(org: Org, code: str) -> AccountBalance:
    shown = await org.caller.look(accounts, Page(size=100))
    return next(each for each in shown.items if each.account.code == code)


async def lines_of(org: Org, code: str, size: int) -> list[StatementLine]:
    """The whole statement of an account, page after page."""
    account, page = await account_of(org, code), Page(size=size, is_cursor=True)
    lines: list[StatementLine] = []
    while True:
        shown = await org.caller.look(statement, account.id, page)
        lines += shown.items
        if shown.next_cursor is None:
            return lines
        page = Page(size=size, is_cursor=True, after=uuid_of(shown.next_cursor))


async def test_carrying_forward_changes_no_balance(world: World) -> None:
    # Before, after, and with new entries on top; verify looked at what was carried.
    org = await world.org()
    await moved(org, 3)
    before = await books(org)
    await folded(world, org)
    assert await books(org) == before
    await moved(org, 2)
    after = await books(org)
    assert after["external"] == before["external"] - 200
    found = {check.name: check for check in await org.caller.look(checks)}
    assert all(check.is_good for check in found.values())
    assert found["what is carried forward is the sum of its entries"].counted >= 2


@pytest.mark.parametrize("is_folded", [False, True])
async def test_a_statement_runs_to_the_balance(world: World, is_folded: bool) -> None:
    # Each line's balance is the one before it and its amount; the newest is what the account holds.
    org = await world.org()
    await moved(org, 4)
    if is_folded:
        await folded(world, org)
        await moved(org, 2)
    for code in await books(org):
        lines = await lines_of(org, code, size=3)
        held = 0
        for line in reversed(lines):
            held += line.amount.minor
            assert line.balance.minor == held
        assert held == (await account_of(org, code)).balance.minor


async def test_a_point_in_time(world: World) -> None:
    # What was true then, whatever happened since.
    org = await world.org()
    await moved(org, 2)
    then, at = await books(org), now()
    await moved(org, 3)
    held = await org.caller.look(trial_balance, at)
    assert {each.account.code: each.balance.minor for each in held if each.balance.minor} == {
        code: minor for code, minor in then.items() if minor
    }
    shown = await org.caller.look(accounts, Page(size=100), at - timedelta(days=1))
    assert all(each.balance.is_zero for each in shown.items)


async def by_hand(org: Org, *amounts: int, at: UUID) -> None:
    """A posting in SQL, under the application's own role and this organization's context."""
    rows = await org.caller.look(trial_balance)
    ids = [uuid_of(row.id) for row in rows if row.account.code in {"external", "transit"}]
    app = org.world.app

    async def body(tx: object, _entrance: object) -> None:
        connection = tx._connection  # type: ignore[attr-defined]  # what no code of ours may do
        await connection.execute(
            "INSERT INTO ledger_transactions"
            " (org_id, id, kind, source_id, description, occurred_at)"
            " VALUES ($1, $2::uuid, 'by_hand', ($2::uuid)::text, '', now())",
            *(uuid_of(org.id), at),
        )
        await connection.executemany(
            "INSERT INTO ledger_entries"
            " (org_id, transaction_id, position, account_id, amount_minor, currency)"
            " SELECT $1, $2, place, id, amount, 'usd'"
            " FROM unnest($3::uuid[], $4::bigint[]) WITH ORDINALITY AS e (id, amount, place)",
            [(uuid_of(org.id), at, ids, list(amounts))],
        )

    await app.database.change(org.caller.binding(), body, is_dry=False)


def an_id(prefix: str) -> UUID:
    """A UUIDv7 that begins with these digits."""
    return UUID(f"{prefix}-0000-7000-8000-{UUID(int=0).hex[:12]}")


async def test_the_application_cannot_unbalance_the_books_by_hand(world: World) -> None:
    # Not even with SQL of its own: the statement fails, and nothing of it is left.
    org = await world.org()
    await moved(org, 1)
    late = an_id("ffffffff")
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await by_hand(org, 100, -99, at=late)
    assert print_id("led", late) not in {line.id for line in await lines_of(org, "external", 50)}


async def test_closed_books_take_nothing_more(world: World) -> None:
    # A balanced posting for a time that was carried forward is refused; a later one is not.
    org = await world.org()
    await moved(org, 1)
    await folded(world, org)
    with pytest.raises(asyncpg.CheckViolationError, match="closed for that time"):
        await by_hand(org, 100, -100, at=an_id("00000001"))
    await by_hand(org, 100, -100, at=an_id("ffffffff"))
