"""`/v1/dunning`: invoices whose automatic payment failed, and what is done about them."""

from typing import Any

from bursar.api.envelope import changed, found, resource
from bursar.api.fields import Body, CustomerRef, NoQuery, Nothing, ShortText
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    IllegalTransition,
    NotFound,
    PaymentInProgress,
    Unavailable,
)
from bursar.domain.shapes.dunning import DunningOut
from bursar.flows.pay_invoice import refuse_if_away
from bursar.operations.dunning import (
    PauseDunning,
    SteerDunning,
    pause_dunning,
    resolve_dunning,
    resume_dunning,
    retry_now,
)
from bursar.reads.dunning import dunning_case, dunning_cases
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Dunning",
    prefix="/v1/dunning",
    about="What is done, step by step, about an invoice whose automatic payment failed.",
)


class DunningQuery(ListQuery, frozen=True):
    """Which cases; `isResolved` leaves those that are over, or those that are not."""

    customer_id: CustomerRef | None = None
    is_resolved: bool | None = None


class PauseBody(Body, frozen=True):
    """Why nothing is to be done for now."""

    reason: ShortText


def _id(call: Call[Any, Any]) -> InvoiceId:
    return InvoiceId(call.id("invoiceId"))


@ROOM.get(
    "",
    Terms(needs=Permission.INVOICE_READ, gives=DunningOut, is_list=True, query=DunningQuery),
)
async def list_dunning(call: Call[None, DunningQuery]) -> Answer:
    """List invoices in dunning, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    shown = await call.caller.look(dunning_cases, page, query.customer_id, query.is_resolved)
    return piece(call.caller, page, shown, DunningOut.of)


@ROOM.get(
    "/{invoiceId}",
    Terms(needs=Permission.INVOICE_READ, gives=DunningOut, refuses=(NotFound,)),
)
async def get_dunning(call: Call[None, NoQuery]) -> Answer:
    """Get the dunning of an invoice, open or over."""
    return resource(DunningOut.of(await call.caller.look(dunning_case, _id(call))))


@ROOM.post(
    "/{invoiceId}/resolve",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=DunningOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def resolve_one_dunning(call: Call[Nothing, NoQuery]) -> Answer:
    """End the dunning of an invoice by hand.

    The invoice stays open; its subscription is behind no more, unless another invoice is.
    """
    command = SteerDunning(_id(call))
    return await changed(call.caller, resolve_dunning, command, found(DunningOut.of))


@ROOM.post(
    "/{invoiceId}/retry-now",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=DunningOut,
        status=202,
        refuses=(
            NotFound,
            IllegalTransition,
            PaymentInProgress,
            CustomerHasNoMethod,
            Unavailable,
        ),
    ),
)
async def retry_dunning_now(call: Call[Nothing, NoQuery]) -> Answer:
    """Charge the customer's default payment method for an invoice at once.

    The charge runs right after the answer; events tell what came of it. A pause ends.
    """
    await refuse_if_away(call.caller, Permission.INVOICE_FINALIZE)

    def accepted(case: Any) -> Answer:
        return resource(DunningOut.of(case), status=202)

    return await changed(call.caller, retry_now, SteerDunning(_id(call)), accepted)


@ROOM.post(
    "/{invoiceId}/pause",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=PauseBody,
        gives=DunningOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def pause_one_dunning(call: Call[PauseBody, NoQuery]) -> Answer:
    """Pause the dunning of an invoice: nothing is charged and nobody is written to."""
    command = PauseDunning(_id(call), call.body.reason)
    return await changed(call.caller, pause_dunning, command, found(DunningOut.of))


@ROOM.post(
    "/{invoiceId}/resume",
    Terms(
        needs=Permission.INVOICE_FINALIZE,
        takes=Nothing,
        gives=DunningOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def resume_one_dunning(call: Call[Nothing, NoQuery]) -> Answer:
    """Resume the dunning of an invoice; what would have been done meanwhile is due now."""
    command = SteerDunning(_id(call))
    return await changed(call.caller, resume_dunning, command, found(DunningOut.of))
