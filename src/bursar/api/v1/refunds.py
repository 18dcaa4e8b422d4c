"""`/v1/refunds`, and giving a payment back."""

from typing import Any, Final

from bursar.api.envelope import resource, travelled
from bursar.api.errors import answer_for
from bursar.api.fields import (
    Body,
    CustomerRef,
    DryRun,
    InvoiceRef,
    Moment,
    NoQuery,
    PaymentRef,
    PositiveCents,
    Text500,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.paying import attempt_key
from bursar.api.routes import Call, Room, Terms
from bursar.api.trace import Trace
from bursar.domain.access import Permission
from bursar.domain.ids import PaymentId, RefundId
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.refusals import (
    InsufficientFunds,
    NotFound,
    NotRefundable,
    PaymentDeclined,
    ProviderNotConfigured,
    RefundAboveRest,
    Unavailable,
    WalletClosed,
)
from bursar.domain.shapes.refunds import RefundOut
from bursar.flows.pay_invoice import refuse_if_away
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.refunds import RefundFilters
from bursar.reads.refunds import refund as refund_look
from bursar.reads.refunds import refunds as refunds_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Refunds", prefix="/v1", about="Payments given back, in part or whole.")

_REFUSES: Final = (
    NotFound,
    NotRefundable,
    RefundAboveRest,
    PaymentDeclined,
    InsufficientFunds,
    WalletClosed,
    ProviderNotConfigured,
    Unavailable,
)
_LATER: Final = {202: "The outcome is not known yet, or the money is on its way."}


class RefundBody(Body, frozen=True):
    """Why. The provider is told `duplicate`, `fraudulent` and `requested_by_customer`."""

    reason: Text500 | None = None


class PartialRefundBody(Body, frozen=True):
    """How much to give back, and why."""

    amount_cents: PositiveCents
    reason: Text500 | None = None


class RefundQuery(CreatedQuery, frozen=True):
    """Which refunds; `status` may name several."""

    payment_id: PaymentRef | None = None
    invoice_id: InvoiceRef | None = None
    customer_id: CustomerRef | None = None
    status: Values | None = None


@ROOM.post(
    "/payments/{paymentId}/refund",
    Terms(
        needs=Permission.REFUND_WRITE,
        takes=RefundBody,
        gives=RefundOut,
        status=201,
        query=DryRun,
        also=_LATER,
        refuses=_REFUSES,
    ),
)
async def refund_a_payment(call: Call[RefundBody, DryRun]) -> Answer:
    """Give back all that is left of a payment.

    The amount is reserved before the payment provider is asked, so refunds that race each other
    never give back more than came. The invoice stays as it was; what was paid from a wallet is
    stored there again.
    """
    return await _refunded(call, None)


@ROOM.post(
    "/payments/{paymentId}/partial-refund",
    Terms(
        needs=Permission.REFUND_WRITE,
        takes=PartialRefundBody,
        gives=RefundOut,
        status=201,
        query=DryRun,
        also=_LATER,
        refuses=_REFUSES,
    ),
)
async def refund_a_part(call: Call[PartialRefundBody, DryRun]) -> Answer:
    """Give back a part of a payment; more than what is left is refused."""
    return await _refunded(call, call.body.amount_cents)


@ROOM.get(
    "/refunds",
    Terms(needs=Permission.PAYMENT_READ, gives=RefundOut, is_list=True, query=RefundQuery),
)
async def list_refunds(call: Call[None, RefundQuery]) -> Answer:
    """List refunds, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = RefundFilters(
        payment_id=query.payment_id,
        invoice_id=query.invoice_id,
        customer_id=query.customer_id,
        statuses=several(query.status, RefundStatus, RefundStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(refunds_look, page, filters)
    return piece(call.caller, page, shown, RefundOut.of)


@ROOM.get(
    "/refunds/{refundId}",
    Terms(needs=Permission.PAYMENT_READ, gives=RefundOut, refuses=(NotFound,)),
)
async def get_refund(call: Call[None, NoQuery]) -> Answer:
    """Get a refund."""
    refund_id = RefundId(call.id("refundId"))
    return resource(RefundOut.of(await call.caller.look(refund_look, refund_id)))


async def _refunded(call: Call[Any, DryRun], amount_minor: int | None) -> Answer:
    caller = call.caller
    if not caller.is_dry_run:
        await refuse_if_away(caller, Permission.REFUND_WRITE)
    command = BeginRefund(
        payment_id=PaymentId(call.id("paymentId")),
        attempt_key=attempt_key(caller),
        amount_minor=amount_minor,
        reason=call.body.reason,
    )

    def reply(refund: Refund) -> Answer:
        if refund.status is RefundStatus.FAILED:
            return answer_for(_refused(refund), Trace(caller.request_id))
        if caller.is_dry_run:
            return resource(RefundOut.of(refund))
        status = 202 if refund.is_open else 201
        return resource(RefundOut.of(refund), status=status, location=f"/v1/refunds/{refund.id}")

    return await travelled(refund_payment(caller, command, reply), reply)


def _refused(refund: Refund) -> PaymentDeclined:
    facts: dict[str, object] = {
        "paymentId": refund.payment_id,
        "refundId": refund.id,
        "declineCode": refund.failure_code,
    }
    return PaymentDeclined(refund.failure_message or "The refund was refused.", facts=facts)
