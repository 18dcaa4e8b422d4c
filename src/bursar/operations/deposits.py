"""Deposits into wallets: at once in a sandbox, through the payment provider where money is real."""

from dataclasses import dataclass

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.ids import WalletId
from bursar.domain.money import Money
from bursar.domain.orgs import Mode
from bursar.domain.refusals import NotFound, ProviderNotConfigured
from bursar.domain.wallets import Wallet, require_currency
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import wallets
from bursar.store.apply import apply


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginDeposit:
    """How much to store in which wallet."""

    wallet_id: WalletId
    amount_minor: int
    currency: Currency | None = None


@operation(requires=Permission.WALLET_MOVE)
async def begin_deposit(tx: Tx, command: BeginDeposit) -> Wallet:
    """Store money in a wallet.

    Raises:
        NotFound: no such wallet.
        WalletClosed, WrongCurrency, AmountTooLarge: the wallet does not take it.
    """
    return await _begun(tx, command, await wallets.lock(tx, command.wallet_id))


@operation(requires=Permission.SELF)
async def begin_own_deposit(tx: Tx, command: BeginDeposit) -> Wallet:
    """Store money in one's own wallet: membership suffices."""
    wallet = await wallets.lock(tx, command.wallet_id)
    if wallet.user_id is None or tx.actor != f"user:{wallet.user_id}":
        raise NotFound(f"No wallet {command.wallet_id}.")
    return await _begun(tx, command, wallet)


async def _begun(tx: Tx, command: BeginDeposit, wallet: Wallet) -> Wallet:
    require_currency(command.currency, wallet.currency, holder=f"Wallet {wallet.id}")
    amount = Money(command.amount_minor, wallet.currency)
    if tx.mode != Mode.SANDBOX.value:
        raise ProviderNotConfigured("No live payment provider is configured (STRIPE_SECRET_KEY).")
    written = (await apply(tx, wallet.deposit(amount, tx.now)))[wallet.id]
    assert isinstance(written, Wallet)
    return written
