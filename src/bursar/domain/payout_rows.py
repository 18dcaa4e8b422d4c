"""What the database keeps of payouts becomes the noun again."""

from bursar.domain import ids
from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.payouts import Payout
from bursar.domain.rows import Record


def row_to_payout(record: Record) -> Payout:
    """From every column of `payouts`."""
    currency = Currency(record["currency"])
    return Payout(
        id=ids.PayoutId(ids.print_id("po", record["id"])),
        provider=record["provider"],
        provider_reference=record["provider_reference"],
        status=PayoutStatus(record["status"]),
        amount=Money(record["amount_minor"], currency),
        fee=Money(record["fee_minor"], currency),
        move_count=record["move_count"],
        failure_code=record["failure_code"],
        sent_at=record["sent_at"],
        arrives_at=record["arrives_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
