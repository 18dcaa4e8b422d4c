"""`/v1/invoices/{id}/pay`, its PDF and its timeline."""

from typing import Any, Literal

from bursar.api.envelope import all_of, changed, created, travelled
from bursar.api.fields import (
    Body,
    DryRun,
    MethodName,
    Moment,
    NoQuery,
    PositiveCents,
    ShortText,
    Url,
    WalletRef,
)
from bursar.api.hosted_links import own_hosted_url
from bursar.api.merging import peeked
from bursar.api.paying import PaymentStarted, Wish, begin_command, paid_reply
from bursar.api.printing import PDF, printed
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId
from bursar.domain.payments import PaymentMode, Receipt, ReceiptMethod
from bursar.domain.refusals import (
    AmountTooLarge,
    CustomerHasNoMethod,
    InsufficientFunds,
    InvalidInput,
    NotFound,
    NothingToPay,
    PaymentDeclined,
    PaymentInProgress,
    ProviderNotConfigured,
    Unavailable,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.shapes.events import TimelineEntryOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.flows.pay_invoice import pay_invoice, refuse_if_away
from bursar.operations.manual_payments import RecordPayment, record_payment
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import timeline
from bursar.runtime.idempotency import Answer

ROOM = Room("Invoices", prefix="/v1/invoices", about="Paying, printing and the history of one.")


class PayBody(Body, frozen=True):
    """How to pay. The two URLs are where the hosted page leads back to."""

    mode: Literal["checkout", "charge", "wallet"] = "checkout"
    payment_method_id: MethodName | None = None
    wallet_id: WalletRef | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None


class ReceiptBody(Body, frozen=True):
    """What came, how, and when; `reference` is what the bank calls it."""

    amount_cents: PositiveCents
    method: ReceiptMethod
    received_at: Moment
    reference: ShortText | None = None

    def to_command(self, invoice_id: InvoiceId) -> RecordPayment:
        """What it asks for."""
        received_at = Moment.plainly(self.received_at)
        assert received_at is not None
        receipt = Receipt(self.method, received_at, self.reference)
        return RecordPayment(invoice_id, self.amount_cents, receipt)


def _id(call: Call[Any, Any]) -> InvoiceId:
    return InvoiceId(call.id("invoiceId"))


@ROOM.post(
    "/{invoiceId}/pay",
    Terms(
        needs=Permission.INVOICE_PAY,
        takes=PayBody,
        gives=PaymentStarted,
        query=DryRun,
        also={
            201: "A hosted checkout page waits at `checkoutUrl`.",
            202: "The outcome is not known yet; an event tells it.",
        },
        refuses=(
            NotFound,
            PaymentDeclined,
            PaymentInProgress,
            NothingToPay,
            CustomerHasNoMethod,
            ProviderNotConfigured,
            InsufficientFunds,
            WalletClosed,
            WrongCurrency,
            Unavailable,
        ),
    ),
)
async def pay(call: Call[PayBody, DryRun]) -> Answer:
    """Pay an invoice.

    `checkout` opens a hosted page; `charge` takes the customer's stored method; `wallet` takes
    stored money, at once: that of `walletId`, or of the customer's only wallet. One attempt at a
    time: while another is open, the answer is 409 with its `paymentId`.
    """
    caller, body, mode = call.caller, call.body, PaymentMode(call.body.mode)
    if body.wallet_id is not None and mode is not PaymentMode.WALLET:
        raise InvalidInput.at("walletId", "goes with the mode wallet", "ambiguous")
    invoice = await peeked(caller.look(invoice_look, _id(call)))
    if not caller.is_dry_run and mode is not PaymentMode.WALLET:
        await refuse_if_away(caller, Permission.INVOICE_PAY)
    wish = Wish(
        mode=mode,
        method_reference=body.payment_method_id,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
        wallet_id=body.wallet_id,
    )
    back = None if invoice is None else own_hosted_url(caller, invoice)
    command = begin_command(caller, _id(call), wish, back=back)
    reply = paid_reply(caller)
    return await travelled(pay_invoice(caller, command, reply), reply)


@ROOM.post(
    "/{invoiceId}/record-payment",
    Terms(
        needs=Permission.PAYMENT_RECORD,
        takes=ReceiptBody,
        gives=PaymentOut,
        status=201,
        query=DryRun,
        refuses=(NotFound, NothingToPay, AmountTooLarge),
    ),
)
async def record_one_payment(call: Call[ReceiptBody, DryRun]) -> Answer:
    """Record money that came by bank transfer, check or cash.

    In full or in part: the invoice stays open until nothing is due. What comes in above that is
    the customer's credit. A payment page that is still open is closed.
    """
    reply = created(PaymentOut.of, "/v1/payments")
    return await changed(call.caller, record_payment, call.body.to_command(_id(call)), reply)


@ROOM.get(
    "/{invoiceId}/pdf",
    Terms(
        needs=Permission.INVOICE_READ,
        media=PDF,
        is_tagged=True,
        weight=10,
        refuses=(NotFound, Unavailable),
    ),
)
async def get_invoice_pdf(call: Call[None, NoQuery]) -> Answer:
    """Get an invoice as PDF.

    The same invoice always gives the same bytes, whose SHA-256 is the `ETag`: who names it in
    `If-None-Match` has them already, and is answered 304. A final one is printed once and kept
    until something changes on it.
    """
    return await printed(call.caller, _id(call))


@ROOM.get(
    "/{invoiceId}/timeline",
    Terms(needs=Permission.INVOICE_READ, gives=TimelineEntryOut, is_list=True, refuses=(NotFound,)),
)
async def get_invoice_timeline(call: Call[None, NoQuery]) -> Answer:
    """Get what happened to an invoice and to its payments, oldest first."""
    events = await call.caller.look(timeline, _id(call))
    return all_of(TimelineEntryOut.of(event) for event in events)
