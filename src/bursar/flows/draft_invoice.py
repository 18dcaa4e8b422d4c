"""A new draft, which shares its commit with the drafts that are asked for at the same time."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bursar.domain.invoices import Invoice
from bursar.operations.invoices import CreateInvoice, create_invoice, create_together
from bursar.runtime import tracing
from bursar.runtime.app import Caller
from bursar.runtime.convoys import Booking, GoAlone, ride
from bursar.runtime.idempotency import Answer

# So that a thousand of them in one transaction stay far from its time-out.
LINES_MAX: Final = 20


async def draft_invoice(
    caller: Caller, command: CreateInvoice, answer: Callable[[Invoice], Answer]
) -> Invoice:
    """One draft; a long one goes alone.

    Raises:
        Refusal: the draft may not be; nothing was written.
    """
    with tracing.span("invoice.create"):
        if len(command.lines) <= LINES_MAX:
            with suppress(GoAlone):
                return await ride(create_together, Booking(caller, command, answer, _id_of))
        return await caller.run(create_invoice, command, answer=answer)


def _id_of(invoice: Invoice) -> str:
    return invoice.id
