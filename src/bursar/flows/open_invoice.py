"""A draft made final, which shares its commit with those that are finalized at the same time."""

from collections.abc import Callable
from contextlib import suppress

from bursar.domain.invoices import Invoice
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice, finalize_together
from bursar.runtime import tracing
from bursar.runtime.app import Caller
from bursar.runtime.convoys import Booking, GoAlone, ride
from bursar.runtime.idempotency import Answer


async def open_invoice(
    caller: Caller, command: FinalizeInvoice, answer: Callable[[Invoice], Answer]
) -> Invoice:
    """One draft, numbered and booked; what finalizing pays at once goes alone.

    Raises:
        Refusal: the draft may not be finalized; no number was taken.
    """
    with tracing.span("invoice.finalize"):
        with suppress(GoAlone):
            return await ride(finalize_together, Booking(caller, command, answer, _id_of))
        return await caller.run(finalize_invoice, command, answer=answer)


def _id_of(invoice: Invoice) -> str:
    return invoice.id
