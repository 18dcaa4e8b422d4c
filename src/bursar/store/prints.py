"""Prints as they are kept: one for each document, encrypted, since a link to pay is in it."""

from bursar.domain.ids import CreditNoteId, CustomerId, InvoiceId, uuid_of
from bursar.domain.prints import PRINT_LABEL, Print
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def keep(
    tx: Tx,
    subject_id: InvoiceId | CreditNoteId,
    invoice_id: InvoiceId,
    fingerprint: bytes,
    made: Print,
) -> None:
    """Put it in the place of the one before."""
    boxed = tx.keys.box(PRINT_LABEL, made.body, context=subject_id.encode())
    await tx.execute(
        Q.keep_print,
        uuid_of(tx.org_id),
        uuid_of(subject_id),
        uuid_of(invoice_id),
        fingerprint,
        made.digest,
        boxed,
    )


async def forget(tx: Tx, customer_id: CustomerId) -> None:
    """Let go of all that name a customer."""
    await tx.execute(Q.forget_prints, uuid_of(tx.org_id), uuid_of(customer_id))
