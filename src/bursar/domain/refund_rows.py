"""What the database keeps of refunds becomes the noun again."""

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.refunds import Refund, RefundStatus
from bursar.domain.rows import Record


def row_to_refund(record: Record) -> Refund:
    """From every column of `refunds`."""
    invoice_id, customer_id = record["invoice_id"], record["customer_id"]
    return Refund(
        id=ids.RefundId(ids.print_id("rfd", record["id"])),
        payment_id=ids.PaymentId(ids.print_id("pay", record["payment_id"])),
        invoice_id=None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        customer_id=(
            None if customer_id is None else ids.CustomerId(ids.print_id("cust", customer_id))
        ),
        status=RefundStatus(record["status"]),
        amount=Money(record["amount_minor"], Currency(record["currency"])),
        credit=Money(record["credit_minor"], Currency(record["currency"])),
        reason=record["reason"],
        provider=record["provider"],
        provider_reference=record["provider_reference"],
        failure_code=record["failure_code"],
        failure_message=record["failure_message"],
        attempt_key=record["attempt_key"],
        watch_step=record["watch_step"],
        settled_at=record["settled_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
