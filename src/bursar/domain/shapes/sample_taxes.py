"""The part of the story that is about taxes, and what is taken back of an invoice."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from bursar.domain import credit_notes
from bursar.domain.change import Change
from bursar.domain.credit_notes import CreditDestination, CreditNote
from bursar.domain.ids import CreditNoteId, CreditNoteLineId, TaxRateId
from bursar.domain.invoices import Invoice, InvoiceNumber
from bursar.domain.money import Money, Rate, total
from bursar.domain.shapes.sample_imports import IMPORT
from bursar.domain.tax_rates import TaxRate, TaxRateStatus, introduce
from bursar.domain.taxes import TaxCategory

AT: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TAX_RATE: Final = TaxRate(
    id=TaxRateId("txr_0195a1b2-c3d4-7018-8000-0123456789ab"),
    name="VAT",
    rate=Rate(Decimal(19)),
    is_inclusive=False,
    category=TaxCategory.STANDARD,
    country="DE",
    note=None,
    is_automatic=True,
    status=TaxRateStatus.ACTIVE,
    metadata={},
    archived_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)


def tax_story() -> Iterator[Change]:
    """A rate comes and goes; a file comes from elsewhere."""
    yield introduce(TAX_RATE)
    yield TAX_RATE.archive(AT)
    yield IMPORT.finish()


def note_on(invoice: Invoice, minor: int) -> CreditNote:
    """A note over an amount of an open invoice that nothing was taken back of before."""
    taken = credit_notes.by_amount(invoice, {}, Money(minor, invoice.currency))
    ids = [
        CreditNoteLineId(f"cnl_0195a1b2-c3d4-7{20 + place:03d}-8000-0123456789ab")
        for place, _ in enumerate(taken)
    ]
    lines = credit_notes.noted_lines(invoice, {}, taken=taken, ids=ids)
    amount = total((each.amount for each in lines), invoice.currency)
    applied = credit_notes.applied_of(amount, invoice)
    return CreditNote(
        id=CreditNoteId("cn_0195a1b2-c3d4-7019-8000-0123456789ab"),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        number=InvoiceNumber("INV-CN-2026", 1),
        currency=invoice.currency,
        lines=lines,
        total=amount,
        tax=total((each.tax for each in lines), invoice.currency),
        applied=applied,
        credited=amount - applied,
        destination=CreditDestination.CREDIT_BALANCE,
        refund_id=None,
        reason="One day of the workshop was canceled.",
        metadata={},
        version=1,
        sequence=0,
        created_at=AT,
        updated_at=AT,
    )


def note_story(invoice: Invoice) -> Iterator[Change]:
    """A part of an open invoice is taken back."""
    yield credit_notes.issue(note_on(invoice, 5000), invoice)
