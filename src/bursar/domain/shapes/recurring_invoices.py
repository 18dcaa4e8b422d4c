"""A recurring invoice as the world sees it: what it bills, how often, and when next."""

from typing import Annotated, Literal

from bursar.domain.recurring_invoices import (
    RecurringInterval,
    RecurringInvoice,
    RecurringLine,
    RecurringStatus,
)
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
    shown_as,
    whole,
)
from bursar.domain.times import wire_instant


class RecurringLineOut(Shape, frozen=True, kw_only=True):
    """A line that every invoice of the template gets; without `taxRateIds`, automatic rates."""

    description: str
    quantity: int
    unit_amount_cents: Cents | None
    unit_amount_decimal: WireDecimal
    tax_rate_ids: tuple[str, ...] | None

    @classmethod
    def of(cls, line: RecurringLine) -> "RecurringLineOut":
        """The line's shape."""
        return cls(
            description=line.description,
            quantity=line.quantity,
            unit_amount_cents=whole(line.unit_amount),
            unit_amount_decimal=decimal(line.unit_amount),
            tax_rate_ids=line.tax_rate_ids,
        )


class RecurringInvoiceOut(Shape, frozen=True, kw_only=True):
    """One template. `occurrences` counts those that have passed; the next falls at `nextDate`."""

    id: str
    object: Literal["recurring_invoice"] = "recurring_invoice"
    customer_id: str
    status: RecurringStatus
    currency: str
    lines: tuple[RecurringLineOut, ...]
    interval: RecurringInterval
    interval_count: int
    timezone: Annotated[str, shown_as("Europe/Berlin")]
    start_date: WireInstant
    end_date: WireInstant | None
    next_date: WireInstant | None
    occurrences: int
    last_invoice_id: str | None
    auto_finalize: bool
    auto_send: bool
    memo: str | None
    metadata: dict[str, str]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, template: RecurringInvoice) -> "RecurringInvoiceOut":
        """The template's shape."""
        schedule = template.schedule
        return cls(
            id=template.id,
            customer_id=template.customer_id,
            status=template.status,
            currency=template.currency,
            lines=tuple(map(RecurringLineOut.of, template.lines)),
            interval=schedule.interval,
            interval_count=schedule.every,
            timezone=schedule.timezone,
            start_date=wire_instant(schedule.start_at),
            end_date=instant(schedule.end_at),
            next_date=instant(template.next_at),
            occurrences=template.occurrence,
            last_invoice_id=template.last_invoice_id,
            auto_finalize=template.auto_finalize,
            auto_send=template.auto_send,
            memo=template.memo,
            metadata=template.metadata,
            version=template.version,
            created_at=wire_instant(template.created_at),
            updated_at=wire_instant(template.updated_at),
        )
