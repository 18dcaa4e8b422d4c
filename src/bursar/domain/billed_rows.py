"""What the database keeps of billed periods becomes those again."""

from bursar.domain import ids
from bursar.domain.billed_periods import BilledPeriod, Cover, Coverage
from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.rows import Record
from bursar.domain.times import Period
from bursar.domain.usage_rows import meter_id_of


def row_to_billed_period(record: Record, currency: Currency) -> BilledPeriod:
    """From every column of `billed_periods`; the currency is what the plan is paid in."""
    invoice_id, price_id = record["invoice_id"], record["price_id"]
    cover = Cover(
        meter_id_of(record["meter_id"]),
        Period(record["start_at"], record["end_at"]),
        Coverage(record["kind"]),
        price_id=None if price_id is None else ids.PriceId(ids.print_id("price", price_id)),
        amount=Money(record["amount_minor"], currency),
        quantity=record["quantity"],
        is_first=record["follows_id"] is None,
    )
    return BilledPeriod(
        ids.SubscriptionId(ids.print_id("sub", record["subscription_id"])),
        None if invoice_id is None else ids.InvoiceId(ids.print_id("inv", invoice_id)),
        cover,
    )
