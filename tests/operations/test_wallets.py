"""Wallets as the database keeps them: made empty, changed by version, floored by the schema."""

from dataclasses import replace

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.currencies import currency
from bursar.domain.ids import CustomerId, uuid_of
from bursar.domain.refusals import NotFound, PreconditionFailed, WrongCurrency
from bursar.domain.wallets import Provocation, Wallet, WalletStatus
from bursar.operations.wallets import CreateWallet, UpdateWallet, create_wallet, update_wallet
from bursar.reads.wallets import wallet as wallet_look

UNKNOWN = CustomerId("cust_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3d")


async def a_wallet(org: Org) -> Wallet:
    return await org.caller.run(create_wallet, CreateWallet(name="Credits"))


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
