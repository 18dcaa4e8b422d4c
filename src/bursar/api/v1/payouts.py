"""`/v1/payouts`: what the payment processor sent to the bank, and what it kept."""

from bursar.api.envelope import resource
from bursar.api.fields import Moment, NoQuery
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import PayoutId
from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.payouts import PayoutOut
from bursar.reads.payouts import PayoutFilters
from bursar.reads.payouts import payout as payout_look
from bursar.reads.payouts import payouts as payouts_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Payouts",
    prefix="/v1/payouts",
    about="What the payment processor sent to the bank, and what it kept.",
)


class PayoutQuery(CreatedQuery, frozen=True):
    """Which payouts; `status` may name several."""

    status: Values | None = None


@ROOM.get(
    "", Terms(needs=Permission.PAYMENT_READ, gives=PayoutOut, is_list=True, query=PayoutQuery)
)
async def list_payouts(call: Call[None, PayoutQuery]) -> Answer:
    """List payouts, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = PayoutFilters(
        statuses=several(query.status, PayoutStatus, PayoutStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(payouts_look, page, filters)
    return piece(call.caller, page, shown, PayoutOut.of)


@ROOM.get(
    "/{payoutId}",
    Terms(needs=Permission.PAYMENT_READ, gives=PayoutOut, refuses=(NotFound,)),
)
async def get_payout(call: Call[None, NoQuery]) -> Answer:
    """Get a payout."""
    payout_id = PayoutId(call.id("payoutId"))
    return resource(PayoutOut.of(await call.caller.look(payout_look, payout_id)))
