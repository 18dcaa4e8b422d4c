"""Looks for the print of a document."""

from bursar.domain.access import Permission
from bursar.domain.ids import CreditNoteId, InvoiceId, uuid_of
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.INVOICE_READ)
async def kept_print(
    tx: ReadTx, subject_id: InvoiceId | CreditNoteId, fingerprint: bytes
) -> bytes | None:
    """The encrypted bytes; nothing where the document has changed since."""
    key = uuid_of(tx.org_id), uuid_of(subject_id)
    boxed: bytes | None = await tx.fetchval(Q.kept_print, *key, fingerprint)
    return boxed
