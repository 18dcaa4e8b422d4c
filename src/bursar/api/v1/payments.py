"""`/v1/payments`: every attempt at collecting an invoice."""

from bursar.api.envelope import resource
from bursar.api.fields import CustomerRef, InvoiceRef, Moment, NoQuery, WalletRef
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import PaymentId
from bursar.domain.payments import PaymentStatus
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.payments import PaymentOut
from bursar.reads.payments import PaymentFilters
from bursar.reads.payments import payment as payment_look
from bursar.reads.payments import payments as payments_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Payments",
    prefix="/v1/payments",
    about="Attempts at collecting an invoice, or at filling a wallet.",
)


class PaymentQuery(CreatedQuery, frozen=True):
    """Which attempts; `status` may name several."""

    invoice_id: InvoiceRef | None = None
    customer_id: CustomerRef | None = None
    wallet_id: WalletRef | None = None
    status: Values | None = None


@ROOM.get(
    "",
    Terms(needs=Permission.PAYMENT_READ, gives=PaymentOut, is_list=True, query=PaymentQuery),
)
async def list_payments(call: Call[None, PaymentQuery]) -> Answer:
    """List payments, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = PaymentFilters(
        invoice_id=query.invoice_id,
        customer_id=query.customer_id,
        wallet_id=query.wallet_id,
        statuses=several(query.status, PaymentStatus, PaymentStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(payments_look, page, filters)
    return piece(call.caller, page, shown, PaymentOut.of)


@ROOM.get(
    "/{paymentId}",
    Terms(needs=Permission.PAYMENT_READ, gives=PaymentOut, refuses=(NotFound,)),
)
async def get_payment(call: Call[None, NoQuery]) -> Answer:
    """Get a payment."""
    payment_id = PaymentId(call.id("paymentId"))
    return resource(PaymentOut.of(await call.caller.look(payment_look, payment_id)))
