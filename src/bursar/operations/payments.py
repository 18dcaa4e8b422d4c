"""Payments: begin an attempt, and settle it with whatever answer arrives."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission, opens_invoice
from bursar.domain.change import Change
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, PaymentId, WalletId
from bursar.domain.instant_payments import pay_from_wallet
from bursar.domain.invoices import Invoice
from bursar.domain.orgs import Mode
from bursar.domain.payment_beginnings import NewPayment, begin
from bursar.domain.payment_requests import DEPOSIT, ProviderRequest, provider_request
from bursar.domain.payments import (
    Deposit,
    Payment,
    PaymentMode,
    PaymentPurpose,
    PaymentStatus,
)
from bursar.domain.provider import LookupOutcome, LookupRequest, Unknown
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    InvalidInput,
    NotFound,
    PaymentInProgress,
    ProviderNotConfigured,
    TaskSuperseded,
)
from bursar.domain.wallets import Wallet
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import (
    collection,
    customers,
    dunning_cases,
    invoices,
    orgs,
    payment_methods,
    payments,
    wallets,
)
from bursar.store.apply import apply

LINK_KEY: Final = "link"
"""Everybody who holds an invoice's hosted link is one payer: they share the open page."""


class BeginPayment(Struct, frozen=True, kw_only=True):
    """Collect what an invoice has due. `attempt_key` names the request; `providers` who can."""

    invoice_id: InvoiceId
    mode: PaymentMode
    attempt_key: str
    providers: Mapping[Mode, str]
    return_url: str
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    wallet_id: WalletId | None = None
    is_retry: bool = False  # dunning asks: only while its case says so


class Begun(Struct, frozen=True):
    """The attempt, and what to ask the provider for it; `is_rejoined` when it was begun before.

    `supersedes` is another open attempt that must be closed at the provider first; nothing was
    begun then.
    """

    payment: Payment
    request: ProviderRequest | None  # None: nothing leaves the house
    is_rejoined: bool = False
    supersedes: Payment | None = None


@operation(requires=Permission.INVOICE_PAY)
async def begin_payment(tx: Tx, command: BeginPayment) -> Begun:
    """Write the attempt down before the provider is asked.

    Only the request that began an attempt rejoins it, and so sends the same key to the provider.
    Anyone else is refused while it is open, unless it only waits for the customer: then it is to
    be closed first.

    Raises:
        PaymentInProgress: another attempt is open.
        NothingToPay: the invoice is not open.
        CustomerHasNoMethod: a charge, and nothing to charge.
        ProviderNotConfigured: a live organization without a live provider.
        InsufficientFunds, WalletClosed, WrongCurrency: the wallet has not got it.
    """
    _require_own(tx, command.invoice_id)
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    customer = await customers.lock(tx, invoice.customer_id, even_deleted=True)
    mine = await payments.attempt_of_key(tx, invoice.id, command.attempt_key)
    if mine is not None and (mine.is_open or command.attempt_key != LINK_KEY):
        return Begun(mine, _request(tx, mine, invoice, customer), is_rejoined=True)
    if command.is_retry:
        await _require_retry(tx, command)
    rival = await payments.open_attempt(tx, invoice.id)
    wallet = await _paying_wallet(tx, command, invoice)
    if rival is not None:
        return _met(tx, rival, command, invoice, customer)
    payment, change = await _beginning(tx, command, invoice, customer, wallet)
    written = (await apply(tx, await collection.follow(tx, change)))[payment.id]
    assert isinstance(written, Payment)
    return Begun(written, _request(tx, written, invoice, customer))


class SettlePayment(Struct, frozen=True):
    """An answer about an attempt. `is_watch`: the watchdog asked, and asks again if need be."""

    payment_id: PaymentId
    outcome: LookupOutcome
    is_watch: bool = False


@operation(requires=Permission.INVOICE_PAY)
async def settle_payment(tx: Tx, command: SettlePayment) -> Payment:
    """The one door for an answer, whoever carries it; what is not news changes nothing."""
    payment, target = await _locked(tx, command.payment_id)
    return await _settled(tx, command, payment, target)


@operation(requires=Permission.WALLET_MOVE)
async def settle_deposit(tx: Tx, command: SettlePayment) -> Deposit:
    """The same door, for whoever may fill wallets and pays no invoice."""
    return await _settled_deposit(tx, command)


@operation(requires=Permission.SELF)
async def settle_own_deposit(tx: Tx, command: SettlePayment) -> Deposit:
    """The same door, for a member who fills their own wallet."""
    deposit = await _settled_deposit(tx, command)
    if tx.actor != f"user:{deposit.wallet.user_id}":
        raise NotFound(f"No payment {command.payment_id}.")
    return deposit


class AskAboutPayment(Struct, frozen=True):
    """What to ask the provider about an attempt."""

    payment_id: PaymentId


@operation(requires=Permission.PAYMENT_SETTLE)
async def ask_about_payment(tx: Tx, command: AskAboutPayment) -> tuple[Payment, LookupRequest]:
    """The question, with the very request that may have to be sent again under the same key."""
    payment, target = await _locked(tx, command.payment_id)
    customer = None
    if payment.customer_id is not None:
        customer = await customers.lock(tx, payment.customer_id, even_deleted=True)
    words = DEPOSIT if isinstance(target, Wallet) else f"Invoice {target.number}"
    return payment, LookupRequest(
        org_id=tx.org_id,
        payment_id=payment.id,
        amount=payment.amount,
        created_at=payment.created_at,
        now=tx.wall,
        customer_reference=None if customer is None else customer.provider_reference,
        reference=payment.provider_reference,
        session_reference=payment.session_reference,
        resend=provider_request(tx.org_id, payment, words, customer),
    )


async def _require_retry(tx: Tx, command: BeginPayment) -> None:
    """Check that dunning still wants this try: nobody paused, paid or resolved meanwhile.

    Raises:
        TaskSuperseded: it does not.
    """
    case = await dunning_cases.get(tx, command.invoice_id)
    if not case.is_due(tx.now) or command.attempt_key != case.attempt_key:
        raise TaskSuperseded(f"Dunning of {command.invoice_id} went another way.")


def _met(
    tx: Tx, rival: Payment, command: BeginPayment, invoice: Invoice, customer: Customer
) -> Begun:
    request = _request(tx, rival, invoice, customer)
    is_page = rival.mode is PaymentMode.CHECKOUT and rival.session_reference is not None
    if is_page and command.attempt_key == LINK_KEY:
        return Begun(rival, request, is_rejoined=True)
    waits_for_customer = is_page or rival.status is PaymentStatus.REQUIRES_ACTION
    if waits_for_customer and rival.mode is not command.mode:
        return Begun(rival, request, supersedes=rival)
    raise PaymentInProgress(
        f"Payment {rival.id} of this invoice is still {rival.status.value}.",
        facts={"paymentId": rival.id},
    )


async def _paying_wallet(tx: Tx, command: BeginPayment, invoice: Invoice) -> Wallet | None:
    """The wallet that pays, locked, if one does; refused now if it could not.

    Raises:
        NotFound, InvalidInput: no such wallet, or none of this customer or of whoever asks.
        InsufficientFunds: less is available than is due.
    """
    if command.mode is not PaymentMode.WALLET:
        return None
    wallet_id = command.wallet_id
    if wallet_id is None:
        known = await wallets.of_customer(tx, invoice.customer_id, invoice.currency)
        if len(known) != 1:
            few = "has no open wallet" if not known else "has several wallets: name one"
            raise InvalidInput.at("walletId", f"the customer {few}", "wallet_not_clear")
        (wallet_id,) = known
    wallet = await wallets.lock(tx, wallet_id)
    if wallet.customer_id != invoice.customer_id and tx.actor != f"user:{wallet.user_id}":
        message = "is neither a wallet of the invoice's customer nor your own"
        raise InvalidInput.at("walletId", message, "wrong_wallet")
    wallet.require_available(invoice.due)
    return wallet


async def _beginning(
    tx: Tx, command: BeginPayment, invoice: Invoice, customer: Customer, wallet: Wallet | None
) -> tuple[Payment, Change]:
    if wallet is not None:
        payment = replace(
            _new(tx, command, invoice, provider=command.mode.value).pending(), wallet_id=wallet.id
        )
        return payment, pay_from_wallet(payment, invoice, wallet, tx.now)
    organization = await orgs.get(tx)
    provider = command.providers.get(organization.mode)
    if provider is None:
        raise ProviderNotConfigured("No live payment provider is configured (STRIPE_SECRET_KEY).")
    method = await payment_methods.chosen(tx, customer, command.method_reference)
    if command.mode is PaymentMode.CHARGE and (not method or not customer.provider_reference):
        raise CustomerHasNoMethod(f"Customer {customer.id} has no payment method to charge.")
    new = replace(
        _new(tx, command, invoice, provider=provider),
        method_reference=method if command.mode is PaymentMode.CHARGE else None,
        success_url=command.success_url or command.return_url,
        cancel_url=command.cancel_url or command.return_url,
    )
    return new.pending(), begin(new.pending(), invoice, wall=tx.wall)


def _new(tx: Tx, command: BeginPayment, invoice: Invoice, *, provider: str) -> NewPayment:
    return NewPayment(
        id=PaymentId(tx.new_id("pay")),
        purpose=PaymentPurpose.INVOICE,
        mode=command.mode,
        amount=invoice.due,
        provider=provider,
        attempt_key=command.attempt_key,
        wall=tx.wall,
        now=tx.now,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
    )


async def _locked(tx: Tx, payment_id: PaymentId) -> tuple[Payment, Invoice | Wallet]:
    """An attempt and what its money is for; from here on the verb is alone with both."""
    await customers.lock_through(tx, payment_id)
    payment = await payments.get(tx, payment_id)
    if payment.is_deposit:
        assert payment.wallet_id is not None
        wallet = await wallets.lock(tx, payment.wallet_id)
        return await payments.get(tx, payment_id), wallet  # what it became while we waited
    assert payment.invoice_id is not None
    _require_own(tx, payment.invoice_id)
    return payment, await invoices.get(tx, payment.invoice_id)


async def _settled_deposit(tx: Tx, command: SettlePayment) -> Deposit:
    payment, target = await _locked(tx, command.payment_id)
    if not isinstance(target, Wallet):
        raise NotFound(f"No payment {payment.id}.")
    settled = await _settled(tx, command, payment, target)
    return Deposit(await wallets.lock(tx, target.id), settled)


async def _settled(
    tx: Tx, command: SettlePayment, payment: Payment, target: Invoice | Wallet
) -> Payment:
    change = payment.settle(target, command.outcome, tx.now)
    if change is None and command.is_watch and payment.is_open:
        is_technical = isinstance(command.outcome, Unknown) and command.outcome.is_outage
        change = payment.watch(tx.wall, technical_failure=is_technical)
    if change is None:
        return payment
    written = (await apply(tx, await collection.follow(tx, change)))[payment.id]
    assert isinstance(written, Payment)
    return written


def _request(
    tx: Tx, payment: Payment, invoice: Invoice, customer: Customer
) -> ProviderRequest | None:
    return provider_request(tx.org_id, payment, f"Invoice {invoice.number}", customer)


def _require_own(tx: Tx, invoice_id: InvoiceId) -> None:
    """A hosted link opens one invoice and no other."""
    if not opens_invoice(tx.actor, invoice_id):
        raise NotFound(f"No invoice {invoice_id}.")
