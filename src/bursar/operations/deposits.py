"""Deposits into wallets: at once in a sandbox, through the payment provider where money is real."""

from collections.abc import Mapping

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import PaymentId, WalletId
from bursar.domain.money import Money
from bursar.domain.orgs import Mode
from bursar.domain.payment_beginnings import NewPayment, begin_deposit
from bursar.domain.payment_requests import DEPOSIT, ProviderRequest, provider_request
from bursar.domain.payments import (
    Deposit,
    Payment,
    PaymentMode,
    PaymentPurpose,
)
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    InvalidInput,
    NotFound,
    ProviderNotConfigured,
)
from bursar.domain.wallets import Wallet, require_currency
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, payment_methods, payments, wallets
from bursar.store.apply import apply


class BeginDeposit(Struct, frozen=True, kw_only=True):
    """How much to store in which wallet, and how it comes: in a sandbox, at once unless said.

    `attempt_key` names the request; `providers` who can collect; `return_url` where the hosted
    page leads back to.
    """

    wallet_id: WalletId
    amount_minor: int
    currency: Currency | None = None
    mode: PaymentMode | None = None
    attempt_key: str = ""
    providers: Mapping[Mode, str]
    return_url: str
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None


class DepositBegun(Struct, frozen=True):
    """The deposit, and what to ask the provider for it; nothing, when it was made at once."""

    deposit: Deposit
    request: ProviderRequest | None = None


@operation(requires=Permission.WALLET_MOVE)
async def fill_wallet(tx: Tx, command: BeginDeposit) -> DepositBegun:
    """Store money in a wallet, or write down that it is to come.

    Raises:
        NotFound: no such wallet.
        WalletClosed, WrongCurrency, AmountTooLarge: the wallet does not take it.
        CustomerHasNoMethod: a charge, and nothing to charge.
        ProviderNotConfigured: a live organization without a live provider.
    """
    wallet = await _locked(tx, command.wallet_id)
    return await _filled(tx, command, wallet)


@operation(requires=Permission.SELF)
async def fill_own_wallet(tx: Tx, command: BeginDeposit) -> DepositBegun:
    """Store money in one's own wallet: membership suffices."""
    wallet = await _locked(tx, command.wallet_id)
    if wallet.user_id is None or tx.actor != f"user:{wallet.user_id}":
        raise NotFound(f"No wallet {command.wallet_id}.")
    return await _filled(tx, command, wallet)


async def _locked(tx: Tx, wallet_id: WalletId) -> Wallet:
    """The wallet; if it is a customer's, they are locked first."""
    await customers.lock_through(tx, wallet_id)
    return await wallets.lock(tx, wallet_id)


async def _filled(tx: Tx, command: BeginDeposit, wallet: Wallet) -> DepositBegun:
    require_currency(command.currency, wallet.currency, holder=f"Wallet {wallet.id}")
    amount = Money(command.amount_minor, wallet.currency)
    if command.mode is None and tx.mode == Mode.SANDBOX.value:
        written = (await apply(tx, wallet.deposit(amount, tx.now)))[wallet.id]
        assert isinstance(written, Wallet)
        return DepositBegun(Deposit(written))
    customer = None
    if wallet.customer_id is not None:
        customer = await customers.lock(tx, wallet.customer_id, even_deleted=True)
    payment = await payments.deposit_of_key(tx, wallet.id, command.attempt_key)
    if payment is None:
        new = await _new(tx, command, wallet, customer)
        change = begin_deposit(new.pending(), wallet, wall=tx.wall)
        written = next(iter((await apply(tx, change)).values()))
        assert isinstance(written, Payment)
        payment = written
    request = provider_request(tx.org_id, payment, DEPOSIT, customer)
    return DepositBegun(Deposit(wallet, payment), request)


async def _new(
    tx: Tx, command: BeginDeposit, wallet: Wallet, customer: Customer | None
) -> NewPayment:
    mode = command.mode or PaymentMode.CHECKOUT
    if mode is PaymentMode.WALLET:
        raise InvalidInput.at("mode", "a wallet is not filled from a wallet", "unknown_value")
    assert tx.mode is not None
    provider = command.providers.get(Mode(tx.mode))
    if provider is None:
        raise ProviderNotConfigured("No live payment provider is configured (STRIPE_SECRET_KEY).")
    new = NewPayment(
        id=PaymentId(tx.new_id("pay")),
        purpose=PaymentPurpose.WALLET_DEPOSIT,
        mode=mode,
        amount=Money(command.amount_minor, wallet.currency),
        provider=provider,
        attempt_key=command.attempt_key,
        wall=tx.wall,
        now=tx.now,
        customer_id=wallet.customer_id,
        wallet_id=wallet.id,
        success_url=command.success_url or command.return_url,
        cancel_url=command.cancel_url or command.return_url,
    )
    if mode is PaymentMode.CHECKOUT:
        return new
    return await _by_method(tx, new, command, customer)


async def _by_method(
    tx: Tx, new: NewPayment, command: BeginDeposit, customer: Customer | None
) -> NewPayment:
    if customer is None:
        raise CustomerHasNoMethod("Only a customer's wallet is filled by a stored method.")
    method = await payment_methods.chosen(tx, customer, command.method_reference)
    if not method or not customer.provider_reference:
        raise CustomerHasNoMethod(f"Customer {customer.id} has no payment method to charge.")
    return replace(new, method_reference=method)
