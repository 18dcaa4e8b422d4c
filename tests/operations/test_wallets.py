"""Wallets as the database keeps them: made empty, changed by version, floored by the schema."""

import asyncio

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.currencies import currency
from bursar.domain.frozen import replace
from bursar.domain.holds import HoldStatus
from bursar.domain.ids import CustomerId, uuid_of
from bursar.domain.paging import Page
from bursar.domain.refusals import (
    HoldOverdue,
    IllegalTransition,
    InsufficientFunds,
    NotFound,
    PreconditionFailed,
    StillInUse,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.wallets import Provocation, Wallet, WalletStatus
from bursar.operations.deposits import fill_own_wallet
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    expire_hold,
    release_hold,
)
from bursar.operations.wallets import (
    CloseWallet,
    CreateWallet,
    OpenOwnWallet,
    UpdateWallet,
    WithdrawMoney,
    close_wallet,
    create_wallet,
    open_own_wallet,
    update_wallet,
    withdraw_money,
)
from bursar.reads.holds import hold as hold_look
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet as wallet_look
from bursar.reads.wallets import wallet_history

UNKNOWN = CustomerId("cust_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d")


async def a_wallet(org: Org) -> Wallet:
    return await org.caller.run(create_wallet, CreateWallet(name="Credits"))


async def withdraw(org: Org, wallet: Wallet, cents: int) -> Wallet:
    command = WithdrawMoney(wallet_id=wallet.id, amount_minor=cents)
    return await org.caller.run(withdraw_money, command)


async def history(org: Org, wallet: Wallet) -> list[tuple[str, int, int]]:
    """What came and went, newest first, with what was left."""
    shown = await org.caller.look(wallet_history, wallet.id, Page(size=100))
    assert shown.total_count == len(shown.items)
    return [(each.kind, each.amount.minor, each.balance.minor) for each in shown.items]


async def set_account(world: World, wallet: Wallet, assignment: str) -> None:
    """Change what the account keeps, as the application could with a statement of its own."""
    connection = await world.house.as_owner()
    try:
        await connection.execute(
            f"UPDATE ledger_accounts SET {assignment} WHERE id = $1", uuid_of(wallet.account_id)
        )
    finally:
        await connection.close()


async def test_a_wallet_begins_empty_in_its_owners_currency(world: World) -> None:
    # The customer's currency, else the organization's; nothing in it, nothing held.
    org = await world.org()
    customer = await org.customer(None)
    own = await a_wallet(org)
    theirs = await org.caller.run(create_wallet, CreateWallet(name="W", customer_id=customer.id))
    assert (own.customer_id, own.user_id, own.currency) == (None, None, "usd")
    assert (theirs.customer_id, theirs.currency) == (customer.id, customer.currency)
    for made in (own, theirs):
        assert made.balance.is_zero
        assert made.available.is_zero
        assert made.status is WalletStatus.OPEN
        assert await org.caller.look(wallet_look, made.id) == made


async def test_a_wallet_needs_a_customer_that_is_there_and_their_currency(world: World) -> None:
    # An unknown or foreign customer is not found; another currency than theirs is refused.
    org, elsewhere = await world.org(), await world.org()
    foreign = (await elsewhere.customer(None)).id
    for customer_id in (UNKNOWN, foreign):
        with pytest.raises(NotFound):
            await org.caller.run(create_wallet, CreateWallet(name="W", customer_id=customer_id))
    customer = await org.customer(None)
    command = CreateWallet(name="W", customer_id=customer.id, currency=currency("eur"))
    with pytest.raises(WrongCurrency) as refused:
        await org.caller.run(create_wallet, command)
    assert [each.field for each in refused.value.details] == ["currency"]
    assert (
        await org.caller.run(create_wallet, replace(command, customer_id=None))
    ).currency == "eur"


async def test_a_wallet_is_changed_by_version(world: World) -> None:
    # Limits come in minor units and go with None; a version that is gone is refused.
    org = await world.org()
    made = await a_wallet(org)
    changes = {"transfer_limit": 500, "provoke_credit": Provocation.REFUSE}
    changed = await org.caller.run(update_wallet, UpdateWallet(made.id, changes))
    assert changed.transfer_limit is not None
    assert (changed.transfer_limit.minor, changed.version) == (500, 2)
    again = await org.caller.run(update_wallet, UpdateWallet(made.id, changes))
    assert again == changed
    with pytest.raises(PreconditionFailed):
        await org.caller.run(update_wallet, UpdateWallet(made.id, {"name": "B"}, 1))
    cleared = await org.caller.run(update_wallet, UpdateWallet(made.id, {"transfer_limit": None}))
    assert cleared.transfer_limit is None


@pytest.mark.parametrize(
    ("assignment", "constraint"),
    [
        ("balance_minor = -1", "balance_above_floor"),
        ("held_minor = 1", "available_above_floor"),
        ("held_minor = -1", "held_of_a_balance"),
        ("balance_minor = 9007199254740992", "balance_is_exact"),
        ("closed_at = now(), balance_minor = 1", "closed_is_empty"),
    ],
)
async def test_the_schema_guards_what_a_wallet_has(
    world: World, assignment: str, constraint: str
) -> None:
    # Whatever statement comes: never below zero, never less than what is held, closed is empty.
    made = await a_wallet(await world.org())
    with pytest.raises(asyncpg.CheckViolationError) as violated:
        await set_account(world, made, assignment)
    assert violated.value.constraint_name in {constraint, "available_above_floor"}


async def test_deposits_and_withdrawals_are_booked_and_told(world: World) -> None:
    # The history runs backwards from the balance, each line with what it left.
    org = await world.org()
    wallet = await org.wallet(5_000)
    await withdraw(org, wallet, 1_500)
    await org.deposit(wallet.id, 250)
    now = await org.caller.look(wallet_look, wallet.id)
    assert (now.balance.minor, now.available.minor) == (3_750, 3_750)
    assert await history(org, wallet) == [
        ("wallet_deposited", 250, 3_750),
        ("wallet_withdrawn", -1_500, 3_500),
        ("wallet_deposited", 5_000, 5_000),
    ]


async def test_a_history_goes_on_from_a_cursor_with_the_right_balance(world: World) -> None:
    # Whatever piece is asked for, a line's balance is the same.
    org = await world.org()
    wallet = await org.wallet()
    for cents in range(1, 8):
        await org.deposit(wallet.id, cents)
    whole = await history(org, wallet)
    pieces, after = [], None
    while True:
        page = Page(size=3, is_cursor=True, after=after)
        shown = await org.caller.look(wallet_history, wallet.id, page)
        pieces += [(each.kind, each.amount.minor, each.balance.minor) for each in shown.items]
        if shown.next_cursor is None:
            break
        after = uuid_of(shown.next_cursor)
    assert pieces == whole
    assert [balance for _, _, balance in whole] == [28, 21, 15, 10, 6, 3, 1]


async def test_only_what_is_available_leaves(world: World) -> None:
    # A hold lowers it, a capture takes a part, what is left over is free again.
    org = await world.org()
    wallet = await org.wallet(1_000)
    hold = await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=700))
    with pytest.raises(InsufficientFunds) as refused:
        await withdraw(org, wallet, 301)
    assert refused.value.facts["availableCents"] == 300
    await withdraw(org, wallet, 300)
    await org.caller.run(capture_hold, CaptureHold(hold.id, 500))
    now = await org.caller.look(wallet_look, wallet.id)
    assert (now.balance.minor, now.held.minor) == (200, 0)
    with pytest.raises(IllegalTransition):
        await org.caller.run(release_hold, SettleHold(hold.id))
    assert (await history(org, wallet))[0] == ("hold_captured", -500, 200)


async def test_a_hold_ends_by_the_wall_clock(world: World) -> None:
    # The agenda asks, the money is free again; asking twice changes nothing.
    org = await world.org()
    wallet = await org.wallet(1_000)
    hold = await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=700))
    released = await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=50))
    await org.caller.run(release_hold, SettleHold(released.id))
    system = world.system(org.id)
    assert (await system.run(expire_hold, SettleHold(hold.id))).status is HoldStatus.OPEN
    connection = await world.house.as_owner()
    try:
        await connection.execute(
            "UPDATE holds SET expires_at = now() - interval '1 minute' WHERE id = $1",
            uuid_of(hold.id),
        )
    finally:
        await connection.close()
    with pytest.raises(HoldOverdue):
        await org.caller.run(capture_hold, CaptureHold(hold.id))
    await world.drain(watch=org)
    assert (await org.caller.look(hold_look, hold.id)).status is HoldStatus.EXPIRED
    assert (await org.caller.look(wallet_look, wallet.id)).available.minor == 1_000
    again = await system.run(expire_hold, SettleHold(hold.id))
    assert again.version == 2


async def test_a_wallet_closes_when_it_is_empty(world: World) -> None:
    # A closed one takes nothing, by the rule and by the schema.
    org = await world.org()
    wallet = await org.wallet(100)
    with pytest.raises(StillInUse):
        await org.caller.run(close_wallet, CloseWallet(wallet.id))
    await withdraw(org, wallet, 100)
    closed = await org.caller.run(close_wallet, CloseWallet(wallet.id))
    assert closed.status is WalletStatus.CLOSED
    with pytest.raises(WalletClosed):
        await org.deposit(wallet.id, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        await set_account(world, wallet, "balance_minor = 1")


async def test_a_member_has_one_wallet_of_their_own(world: World) -> None:
    # Made at first use, once even when the first uses meet; nobody opens it for somebody else.
    org = await world.org()
    command = OpenOwnWallet(org.user_id)
    made = await asyncio.gather(*(org.caller.run(open_own_wallet, command) for _ in range(8)))
    assert len({wallet.id for wallet in made}) == 1
    assert (made[0].user_id, made[0].currency) == (org.user_id, "usd")
    stranger = await world.org()
    for caller in (stranger.caller, world.operator(org.id)):
        with pytest.raises(NotFound):
            await caller.run(open_own_wallet, command)
    nobodys = org.filling((await org.wallet()).id, 5)
    with pytest.raises(NotFound):
        await org.caller.run(fill_own_wallet, nobodys)


async def test_the_books_agree_after_all_of_it(world: World) -> None:
    # Every check of `bursar verify` holds, with wallets and holds in the middle of things.
    org = await world.org()
    wallet = await org.wallet(10_000)
    await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=700))
    captured = await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=9))
    await org.caller.run(capture_hold, CaptureHold(captured.id))
    await withdraw(org, wallet, 1_500)
    found = await world.operator(org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []
