"""`/v1/invoices/{id}/pay`, its PDF and its timeline."""

from typing import Any

import msgspec

from bursar.api.envelope import Reply, all_of, resource, travelled
from bursar.api.errors import answer_for
from bursar.api.fields import Body, DryRun, NoQuery, ProviderToken, Url
from bursar.api.hosted_links import own_hosted_url
from bursar.api.merging import peeked
from bursar.api.paying import Wish, begin_command
from bursar.api.printing import PDF, printed
from bursar.api.routes import Call, Room, Terms
from bursar.api.trace import Trace
from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    NotFound,
    NothingToPay,
    PaymentDeclined,
    PaymentInProgress,
    ProviderNotConfigured,
    Unavailable,
)
from bursar.domain.shapes.events import TimelineEntryOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.flows.pay_invoice import pay_invoice, refuse_if_away
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.invoices import timeline
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room("Invoices", prefix="/v1/invoices", about="Paying, printing and the history of one.")


class PayBody(Body, frozen=True):
    """How to pay. The two URLs are where the hosted page leads back to."""

    mode: PaymentMode = PaymentMode.CHECKOUT
    payment_method_id: ProviderToken | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None


class PaymentStarted(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The attempt, and where the customer must go, if anywhere."""

    payment: PaymentOut
    checkout_url: str | None
    next_action_url: str | None


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
            Unavailable,
        ),
    ),
)
async def pay(call: Call[PayBody, DryRun]) -> Answer:
    """Pay an invoice.

    `checkout` opens a hosted page; `charge` takes the customer's stored method. One attempt at a
    time: while another is open, the answer is 409 with its `paymentId`.
    """
    caller, body = call.caller, call.body
    invoice = await peeked(caller.look(invoice_look, _id(call)))
    if not caller.is_dry_run:
        refuse_if_away(caller)
    wish = Wish(
        mode=body.mode,
        method_reference=body.payment_method_id,
        success_url=body.success_url,
        cancel_url=body.cancel_url,
    )
    back = None if invoice is None else own_hosted_url(caller, invoice)
    command = begin_command(caller, _id(call), wish, back=back)
    reply = paid_reply(caller)
    return await travelled(pay_invoice(caller, command, reply), reply)


def paid_reply(caller: Caller) -> Reply[Payment]:
    """What an attempt's state means to whoever asked for it."""

    def reply(payment: Payment) -> Answer:
        if payment.status is PaymentStatus.FAILED:
            return answer_for(_declined(payment), Trace(caller.request_id))
        started = PaymentStarted(
            payment=PaymentOut.of(payment),
            checkout_url=payment.checkout_url,
            next_action_url=payment.next_action_url,
        )
        return resource(started, status=_status(payment, is_dry_run=caller.is_dry_run))

    return reply


def _status(payment: Payment, *, is_dry_run: bool) -> int:
    if is_dry_run:
        return 200
    if payment.mode is PaymentMode.CHECKOUT and payment.checkout_url is not None:
        return 201
    is_open = payment.status in {PaymentStatus.PENDING, PaymentStatus.PROCESSING}
    return 202 if is_open else 200


def _declined(payment: Payment) -> PaymentDeclined:
    facts: dict[str, object] = {"paymentId": payment.id, "declineCode": payment.failure_code}
    return PaymentDeclined(payment.failure_message or "The payment was declined.", facts=facts)


@ROOM.get(
    "/{invoiceId}/pdf",
    Terms(needs=Permission.INVOICE_READ, media=PDF, weight=10, refuses=(NotFound, Unavailable)),
)
async def get_invoice_pdf(call: Call[None, NoQuery]) -> Answer:
    """Get an invoice as PDF; the same invoice always gives the same bytes."""
    invoice = await call.caller.look(invoice_look, _id(call))
    return await printed(call.caller, invoice)


@ROOM.get(
    "/{invoiceId}/timeline",
    Terms(needs=Permission.INVOICE_READ, gives=TimelineEntryOut, is_list=True, refuses=(NotFound,)),
)
async def get_invoice_timeline(call: Call[None, NoQuery]) -> Answer:
    """Get what happened to an invoice and to its payments, oldest first."""
    events = await call.caller.look(timeline, _id(call))
    return all_of(TimelineEntryOut.of(event) for event in events)
