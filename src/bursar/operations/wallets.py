"""Wallets: make one, change what may be changed at will, pay out of it, close it."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field

from bursar.domain import chart
from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, UserId, WalletId
from bursar.domain.money import Money
from bursar.domain.orgs import Mode
from bursar.domain.refusals import NotFound, PreconditionFailed
from bursar.domain.wallets import (
    Provocation,
    Wallet,
    WalletStatus,
    open_wallet,
    outside,
    require_currency,
)
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, ledger, orgs, payments, transfers, wallets
from bursar.store.apply import apply

_LIMITS: Final = frozenset({"transfer_limit", "daily_limit"})


class CreateWallet(Struct, frozen=True, kw_only=True):
    """A wallet for a customer, or without one for the organization; limits in minor units."""

    name: str
    customer_id: CustomerId | None = None
    currency: Currency | None = None
    provoke_credit: Provocation = Provocation.NONE
    transfer_limit: int | None = None
    daily_limit: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@operation(requires=Permission.WALLET_MOVE)
async def create_wallet(tx: Tx, command: CreateWallet) -> Wallet:
    """A new, empty wallet in the customer's currency, or the organization's.

    Raises:
        NotFound: no such customer.
        WrongCurrency: the customer is billed in another one.
    """
    if command.customer_id is None:
        currency = command.currency or (await orgs.get(tx)).currency
    else:
        customer = await customers.lock(tx, command.customer_id)
        currency = customer.currency
        require_currency(command.currency, currency, holder=f"Customer {customer.id}")
    wallet = await _empty(tx, command, currency)
    return await _written(tx, wallet, open_wallet(wallet, is_sandbox=_is_sandbox(tx)))


class OpenOwnWallet(Struct, frozen=True):
    """The member whose wallet it is: always the one who asks."""

    user_id: UserId


@operation(requires=Permission.SELF)
async def open_own_wallet(tx: Tx, command: OpenOwnWallet) -> Wallet:
    """A member's own wallet, made at its first use in the organization's currency."""
    if tx.actor != f"user:{command.user_id}":
        raise NotFound("No such member.")
    wallet = await wallets.lock_own(tx, command.user_id)
    if wallet is not None:
        return wallet
    currency = (await orgs.get(tx)).currency
    empty = await _empty(tx, CreateWallet(name="My wallet"), currency)
    wallet = replace(empty, user_id=command.user_id)
    return await _written(tx, wallet, open_wallet(wallet, is_sandbox=_is_sandbox(tx)))


class UpdateWallet(Struct, frozen=True):
    """Fields to change, by their names in `Wallet`; `expected_version` is If-Match."""

    wallet_id: WalletId
    changes: Mapping[str, Any]
    expected_version: int | None = None


@operation(requires=Permission.WALLET_MOVE)
async def update_wallet(tx: Tx, command: UpdateWallet) -> Wallet:
    """Change name, limits or metadata; limits come in minor units, None takes one away.

    Raises:
        NotFound: no such wallet.
        PreconditionFailed: another version than the expected one.
    """
    wallet = await wallets.lock(tx, command.wallet_id)
    if command.expected_version not in {None, wallet.version}:
        raise PreconditionFailed(f"{wallet.id} is at version {wallet.version}.")
    changes: dict[str, Any] = {
        name: Money(value, wallet.currency) if name in _LIMITS and value is not None else value
        for name, value in command.changes.items()
    }
    after = replace(wallet, **changes)
    return await _written(tx, wallet, wallet.edit(after, is_sandbox=_is_sandbox(tx)))


class WithdrawMoney(Struct, frozen=True, kw_only=True):
    """How much to pay out of which wallet."""

    wallet_id: WalletId
    amount_minor: int
    currency: Currency | None = None


@operation(requires=Permission.WALLET_MOVE)
async def withdraw_money(tx: Tx, command: WithdrawMoney) -> Wallet:
    """Pay stored money out: to the bank, or out of a sandbox.

    Raises:
        NotFound: no such wallet.
        InsufficientFunds, WalletClosed, WrongCurrency: the wallet has not got it.
    """
    wallet = await wallets.lock(tx, command.wallet_id)
    require_currency(command.currency, wallet.currency, holder=f"Wallet {wallet.id}")
    amount = Money(command.amount_minor, wallet.currency)
    goal = outside(wallet.currency, is_sandbox=_is_sandbox(tx))
    return await _written(tx, wallet, wallet.withdraw(amount, tx.now, goal=goal))


class CloseWallet(Struct, frozen=True):
    """A wallet to close."""

    wallet_id: WalletId


@operation(requires=Permission.WALLET_MOVE)
async def close_wallet(tx: Tx, command: CloseWallet) -> Wallet:
    """Close an empty wallet.

    Raises:
        NotFound: no such wallet.
        IllegalTransition: it is closed.
        StillInUse: it has money, or waits for some.
    """
    wallet = await wallets.lock(tx, command.wallet_id)
    flying = await transfers.in_flight(tx, wallet.id)
    coming = await payments.open_deposits(tx, wallet.id)
    change = wallet.close(tx.now, open_deposits=coming, open_transfers=flying)
    return await _written(tx, wallet, change)


async def _empty(tx: Tx, command: CreateWallet, currency: Currency) -> Wallet:
    wallet_id = WalletId(tx.new_id("wal"))
    zero = Money.zero(currency)
    return Wallet(
        id=wallet_id,
        account_id=await ledger.open_account(tx, chart.wallet(wallet_id, currency)),
        customer_id=command.customer_id,
        user_id=None,
        name=command.name,
        status=WalletStatus.OPEN,
        balance=zero,
        held=zero,
        provoke_credit=command.provoke_credit,
        transfer_limit=_limit(command.transfer_limit, currency),
        daily_limit=_limit(command.daily_limit, currency),
        metadata=command.metadata,
        closed_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _limit(minor: int | None, currency: Currency) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _is_sandbox(tx: Tx) -> bool:
    return tx.mode == Mode.SANDBOX.value


async def _written(tx: Tx, wallet: Wallet, change: Change | None) -> Wallet:
    if change is None:
        return wallet
    written = (await apply(tx, change))[wallet.id]
    assert isinstance(written, Wallet)
    return written
