"""Taxes that an engine chose for a draft, put on it."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import PreconditionFailed
from bursar.domain.tax_engine import TaxAdvice, TaxQuestion, assessed
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, invoices
from bursar.store.apply import apply


class PutTaxes(Struct, frozen=True):
    """What was asked, and what the engine said."""

    question: TaxQuestion
    advice: TaxAdvice


@operation(requires=Permission.INVOICE_WRITE)
async def put_taxes(tx: Tx, command: PutTaxes) -> Invoice:
    """The draft with these taxes, if it is still the one that was asked about.

    Raises:
        IllegalTransition: it is final by now.
        PreconditionFailed: it was changed while the engine was asked.
        TaxesNotKnown: what the engine said is none of what it was offered.
    """
    asked = command.question.invoice
    await customers.lock_through(tx, asked.id)
    draft = await invoices.get(tx, asked.id)
    if draft.version != asked.version:
        raise PreconditionFailed(f"{draft.id} was changed meanwhile; ask again.")
    change = draft.edit(assessed(draft, command.advice, command.question))
    if change is None:
        return draft
    written = (await apply(tx, change))[draft.id]
    assert isinstance(written, Invoice)
    return written
