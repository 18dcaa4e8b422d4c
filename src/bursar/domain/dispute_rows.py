"""What the database keeps of disputes becomes the noun again."""

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.dispute_reports import DisputeStatus
from bursar.domain.disputes import Dispute
from bursar.domain.money import Money
from bursar.domain.rows import Record


def row_to_dispute(record: Record) -> Dispute:
    """From every column of `disputes`."""
    invoice_id, customer_id = record["invoice_id"], record["customer_id"]
    currency = Currency(record["currency"])
    return Dispute(
        id=ids.DisputeId(ids.print_id("dsp", record["id"])),
        payment_id=ids.PaymentId(ids.print_id("pay", record["payment_id"])),
        invoice_id=None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        customer_id=(
            None if customer_id is None else ids.CustomerId(ids.print_id("cust", customer_id))
        ),
        status=DisputeStatus(record["status"]),
        amount=Money(record["amount_minor"], currency),
        withdrawn=Money(record["withdrawn_minor"], currency),
        fee=Money(record["fee_minor"], currency),
        move_count=record["move_count"],
        reason=record["reason"],
        provider=record["provider"],
        provider_reference=record["provider_reference"],
        evidence_due_at=record["evidence_due_at"],
        reported_at=record["reported_at"],
        closed_at=record["closed_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
