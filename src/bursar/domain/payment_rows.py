"""What the database keeps of a payment becomes the payment again; see `rows`."""

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.payments import (
    Payment,
    PaymentMode,
    PaymentPurpose,
    PaymentStatus,
    Receipt,
    ReceiptMethod,
)
from bursar.domain.rows import Record


def row_to_payment(record: Record) -> Payment:
    """From every column of `payments`."""
    invoice_id, customer_id, wallet_id = (
        record[column] for column in ("invoice_id", "customer_id", "wallet_id")
    )
    currency = Currency(record["currency"])
    return Payment(
        id=ids.PaymentId(ids.print_id("pay", record["id"])),
        purpose=PaymentPurpose(record["purpose"]),
        invoice_id=None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        customer_id=None
        if customer_id is None
        else ids.CustomerId(ids.print_id("cust", customer_id)),
        wallet_id=None if wallet_id is None else ids.WalletId(ids.print_id("wal", wallet_id)),
        mode=PaymentMode(record["mode"]),
        status=PaymentStatus(record["status"]),
        amount=Money(record["amount_minor"], currency),
        refunded=Money(record["refunded_minor"], currency),
        refunding=Money(record["refunding_minor"], currency),
        provider=record["provider"],
        provider_reference=record["provider_reference"],
        session_reference=record["session_reference"],
        method_reference=record["method_reference"],
        checkout_url=record["checkout_url"],
        next_action_url=record["next_action_url"],
        success_url=record["success_url"],
        cancel_url=record["cancel_url"],
        failure_code=record["failure_code"],
        failure_message=record["failure_message"],
        decline_kind=record["decline_kind"],
        attempt_key=record["attempt_key"],
        watch_step=record["watch_step"],
        credited=Money(record["credited_minor"], currency),
        receipt=_receipt(record),
        expires_at=record["expires_at"],
        settled_at=record["settled_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )


def _receipt(record: Record) -> Receipt | None:
    if record["receipt_method"] is None:
        return None
    return Receipt(
        method=ReceiptMethod(record["receipt_method"]),
        received_at=record["received_at"],
        reference=record["receipt_reference"],
    )
