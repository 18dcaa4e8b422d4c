"""Payments: begin an attempt, and settle it with whatever answer arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bursar.domain.access import Link, Permission, actor_label
from bursar.domain.customers import Customer
from bursar.domain.ids import InvoiceId, PaymentId
from bursar.domain.invoices import Invoice
from bursar.domain.orgs import Mode
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus, begin
from bursar.domain.provider import (
    ChargeRequest,
    CheckoutRequest,
    LookupOutcome,
    LookupRequest,
    Unknown,
)
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    NotFound,
    PaymentInProgress,
    ProviderNotConfigured,
)
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, invoices, orgs, payments
from bursar.store.apply import apply

LINK_KEY: Final = "link"
"""Everybody who holds an invoice's hosted link is one payer: they share the open page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginPayment:
    """Collect what an invoice has due. `attempt_key` names the request; `providers` who can."""

    invoice_id: InvoiceId
    mode: PaymentMode
    attempt_key: str
    providers: Mapping[Mode, str]
    return_url: str
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The attempt, and what to ask the provider for it; `is_rejoined` when it was begun before.

    `supersedes` is another open attempt that must be closed at the provider first; nothing was
    begun then.
    """

    payment: Payment
    request: ChargeRequest | CheckoutRequest
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
    """
    _require_own(tx, command.invoice_id)
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    customer = await customers.lock(tx, invoice.customer_id, even_deleted=True)
    mine = await payments.attempt_of_key(tx, invoice.id, command.attempt_key)
    if mine is not None and (mine.is_open or command.attempt_key != LINK_KEY):
        return Begun(mine, _request(tx, mine, invoice, customer), is_rejoined=True)
    rival = await payments.open_attempt(tx, invoice.id)
    if rival is not None:
        return _met(tx, rival, command, invoice, customer)
    payment = await _new_payment(tx, command, invoice, customer)
    change = begin(payment, invoice, wall=tx.wall)
    written = (await apply(tx, change))[payment.id]
    assert isinstance(written, Payment)
    return Begun(written, _request(tx, written, invoice, customer))


@dataclass(frozen=True, slots=True)
class SettlePayment:
    """An answer about an attempt. `is_watch`: the watchdog asked, and asks again if need be."""

    payment_id: PaymentId
    outcome: LookupOutcome
    is_watch: bool = False


@operation(requires=Permission.INVOICE_PAY)
async def settle_payment(tx: Tx, command: SettlePayment) -> Payment:
    """The one door for an answer, whoever carries it; what is not news changes nothing."""
    await customers.lock_through(tx, command.payment_id)
    payment = await payments.get(tx, command.payment_id)
    _require_own(tx, payment.invoice_id)
    invoice = await invoices.get(tx, payment.invoice_id)
    change = payment.settle(invoice, command.outcome, tx.now)
    if change is None and command.is_watch and payment.is_open:
        is_technical = isinstance(command.outcome, Unknown) and command.outcome.is_outage
        change = payment.watch(tx.wall, technical_failure=is_technical)
    if change is None:
        return payment
    written = (await apply(tx, change))[payment.id]
    assert isinstance(written, Payment)
    return written


@dataclass(frozen=True, slots=True)
class AskAboutPayment:
    """What to ask the provider about an attempt."""

    payment_id: PaymentId


@operation(requires=Permission.PAYMENT_SETTLE)
async def ask_about_payment(tx: Tx, command: AskAboutPayment) -> tuple[Payment, LookupRequest]:
    """The question, with the very request that may have to be sent again under the same key."""
    await customers.lock_through(tx, command.payment_id)
    payment = await payments.get(tx, command.payment_id)
    invoice = await invoices.get(tx, payment.invoice_id)
    customer = await customers.lock(tx, payment.customer_id, even_deleted=True)
    return payment, LookupRequest(
        org_id=tx.org_id,
        payment_id=payment.id,
        amount=payment.amount,
        created_at=payment.created_at,
        now=tx.wall,
        customer_reference=customer.provider_reference,
        reference=payment.provider_reference,
        session_reference=payment.session_reference,
        resend=_request(tx, payment, invoice, customer),
    )


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


async def _new_payment(
    tx: Tx, command: BeginPayment, invoice: Invoice, customer: Customer
) -> Payment:
    organization = await orgs.get(tx)
    provider = command.providers.get(organization.mode)
    if provider is None:
        raise ProviderNotConfigured("No live payment provider is configured (STRIPE_SECRET_KEY).")
    method = command.method_reference or customer.method_reference
    if command.mode is PaymentMode.CHARGE and (not method or not customer.provider_reference):
        raise CustomerHasNoMethod(f"Customer {customer.id} has no payment method to charge.")
    return Payment(
        id=PaymentId(tx.new_id("pay")),
        invoice_id=invoice.id,
        customer_id=customer.id,
        mode=command.mode,
        status=PaymentStatus.PENDING,
        amount=invoice.due,
        provider=provider,
        provider_reference=None,
        session_reference=None,
        method_reference=method if command.mode is PaymentMode.CHARGE else None,
        checkout_url=None,
        next_action_url=None,
        success_url=command.success_url or command.return_url,
        cancel_url=command.cancel_url or command.return_url,
        failure_code=None,
        failure_message=None,
        decline_kind=None,
        attempt_key=command.attempt_key,
        watch_step=0,
        is_credited=False,
        expires_at=None,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.now,
    )


def _request(
    tx: Tx, payment: Payment, invoice: Invoice, customer: Customer
) -> ChargeRequest | CheckoutRequest:
    """The same request each time: whatever could differ was written down with the attempt."""
    description = f"Invoice {invoice.number}"
    assert payment.success_url is not None
    assert payment.cancel_url is not None
    if payment.mode is PaymentMode.CHARGE:
        return ChargeRequest(
            org_id=tx.org_id,
            payment_id=payment.id,
            invoice_id=invoice.id,
            amount=payment.amount,
            customer_reference=customer.provider_reference or "",
            method_reference=payment.method_reference,
            description=description,
            return_url=payment.success_url,
        )
    return CheckoutRequest(
        org_id=tx.org_id,
        payment_id=payment.id,
        invoice_id=invoice.id,
        amount=payment.amount,
        customer_reference=customer.provider_reference,
        description=description,
        success_url=payment.success_url,
        cancel_url=payment.cancel_url,
    )


def _require_own(tx: Tx, invoice_id: InvoiceId) -> None:
    """A hosted link opens one invoice and no other."""
    if tx.actor.startswith("link:") and tx.actor != actor_label(Link(invoice_id)):
        raise NotFound(f"No invoice {invoice_id}.")
