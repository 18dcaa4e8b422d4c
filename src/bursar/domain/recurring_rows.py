"""What the database keeps of a recurring invoice becomes that noun again."""

import msgspec

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.recurring_invoices import (
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
    Schedule,
)
from bursar.domain.rows import Record


def row_to_recurring_invoice(record: Record) -> RecurringInvoice:
    """From every column of `recurring_invoices`."""
    last = record["last_invoice_id"]
    return RecurringInvoice(
        id=ids.RecurringInvoiceId(ids.print_id("rinv", record["id"])),
        customer_id=ids.CustomerId(ids.print_id("cust", record["customer_id"])),
        status=RecurringStatus(record["status"]),
        currency=Currency(record["currency"]),
        lines=msgspec.json.decode(record["lines"], type=tuple[RecurringLine, ...]),
        schedule=Schedule(
            start_at=record["start_at"],
            interval=RecurringInterval(record["recurs"]),
            every=record["interval_count"],
            timezone=record["timezone"],
            end_at=record["end_at"],
        ),
        occurrence=record["occurrence"],
        next_at=record["next_at"],
        last_invoice_id=None if last is None else ids.InvoiceId(ids.print_id("inv", last)),
        auto_finalize=record["auto_finalize"],
        auto_send=record["auto_send"],
        memo=record["memo"],
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
