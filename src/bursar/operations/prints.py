"""Keeps what was printed: whoever may read a document may leave its print for the next reader."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import CreditNoteId, InvoiceId
from bursar.domain.prints import Print
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import prints


class KeepPrint(Struct, frozen=True):
    """A print, and what the document said that it is of."""

    subject_id: InvoiceId | CreditNoteId
    invoice_id: InvoiceId
    fingerprint: bytes
    made: Print


@operation(requires=Permission.INVOICE_READ)
async def keep_print(tx: Tx, command: KeepPrint) -> None:
    """The next reader is served it; of two at once either stays, and both are right."""
    asked = command.subject_id, command.invoice_id, command.fingerprint
    await prints.keep(tx, *asked, command.made)
