"""Writing invoices off: nobody expects the money any more."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice
from bursar.domain.tasks import CloseAttempt
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import collection, customers, invoices, payments
from bursar.store.apply import apply


class WriteOff(Struct, frozen=True):
    """An open invoice that nobody will pay."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def write_off_invoice(tx: Tx, command: WriteOff) -> Invoice:
    """What is due becomes a loss, dunning ends, and an open payment page is closed by a task.

    Money that comes all the same is the customer's credit.

    Raises:
        IllegalTransition: the invoice is not open.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    change = await collection.follow(tx, invoice.write_off(tx.now))
    attempt = await payments.open_attempt(tx, invoice.id)
    if attempt is not None:
        change = replace(change, tasks=(*change.tasks, CloseAttempt(attempt.id)))
    written = (await apply(tx, change))[invoice.id]
    assert isinstance(written, Invoice)
    return written
