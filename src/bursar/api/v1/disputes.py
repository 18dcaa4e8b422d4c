"""`/v1/disputes`: payments that a cardholder's bank took back."""

from bursar.api.envelope import resource
from bursar.api.fields import Moment, NoQuery, PaymentRef
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.ids import DisputeId
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.disputes import DisputeOut
from bursar.reads.disputes import DisputeFilters
from bursar.reads.disputes import dispute as dispute_look
from bursar.reads.disputes import disputes as disputes_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Disputes", prefix="/v1/disputes", about="Payments that a cardholder's bank took back.")


class DisputeQuery(CreatedQuery, frozen=True):
    """Which disputes; `status` may name several."""

    payment_id: PaymentRef | None = None
    status: Values | None = None


@ROOM.get(
    "", Terms(needs=Permission.PAYMENT_READ, gives=DisputeOut, is_list=True, query=DisputeQuery)
)
async def list_disputes(call: Call[None, DisputeQuery]) -> Answer:
    """List disputes, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = DisputeFilters(
        payment_id=query.payment_id,
        statuses=several(query.status, DisputeStatus, DisputeStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(disputes_look, page, filters)
    return piece(call.caller, page, shown, DisputeOut.of)


@ROOM.get(
    "/{disputeId}",
    Terms(needs=Permission.PAYMENT_READ, gives=DisputeOut, refuses=(NotFound,)),
)
async def get_dispute(call: Call[None, NoQuery]) -> Answer:
    """Get a dispute."""
    dispute_id = DisputeId(call.id("disputeId"))
    return resource(DisputeOut.of(await call.caller.look(dispute_look, dispute_id)))
