"""Usage as the world sees it: an event, a period's sum, a threshold that was reached."""

from typing import Annotated, Literal

from msgspec import Meta

from bursar.domain.meters import Aggregation
from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.times import wire_instant
from bursar.domain.usage import MeterUsage, UsageAggregate, UsageEvent, UsageSummary

_SUBSCRIPTION = "sub_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"
SubscriptionKey = Annotated[str, Meta(examples=[_SUBSCRIPTION])]


class UsageEventOut(Shape, frozen=True, kw_only=True):
    """One usage event. Without a meter it is counted, and not billed."""

    id: str
    object: Literal["usage_event"] = "usage_event"
    subscription_id: SubscriptionKey
    meter_id: str | None
    idempotency_key: str
    quantity: int
    timestamp: WireInstant
    properties: dict[str, str | int]
    created_at: WireInstant

    @classmethod
    def of(cls, event: UsageEvent) -> "UsageEventOut":
        """The event's shape."""
        return cls(
            id=event.id,
            subscription_id=event.subscription_id,
            meter_id=event.meter_id,
            idempotency_key=event.key,
            quantity=event.quantity,
            timestamp=wire_instant(event.at),
            properties=dict(event.properties),
            created_at=wire_instant(event.recorded_at),
        )


class MeterUsageOut(Shape, frozen=True, kw_only=True):
    """What one meter counted, and what that costs so far."""

    meter_id: str | None
    key: str | None
    name: str | None
    aggregation: Aggregation
    period_start: WireInstant
    period_end: WireInstant
    event_count: int
    quantity: int
    amount_cents: Cents

    @classmethod
    def of(cls, usage: MeterUsage) -> "MeterUsageOut":
        """The meter's part of a summary."""
        meter = usage.meter
        return cls(
            meter_id=None if meter is None else meter.id,
            key=None if meter is None else meter.key,
            name=None if meter is None else meter.name,
            aggregation=Aggregation.SUM if meter is None else meter.aggregation,
            period_start=wire_instant(usage.period.start),
            period_end=wire_instant(usage.period.end),
            event_count=usage.event_count,
            quantity=usage.quantity,
            amount_cents=usage.amount.minor,
        )


class UsageSummaryOut(Shape, frozen=True, kw_only=True):
    """What a subscription used in a period, by meter, and what that costs so far."""

    object: Literal["usage_summary"] = "usage_summary"
    subscription_id: SubscriptionKey
    period_start: WireInstant
    period_end: WireInstant
    total_quantity: int
    currency: str
    amount_cents: Cents
    meters: tuple[MeterUsageOut, ...]
    computed_at: WireInstant

    @classmethod
    def of(cls, summary: UsageSummary) -> "UsageSummaryOut":
        """The summary's shape."""
        return cls(
            subscription_id=summary.subscription_id,
            period_start=wire_instant(summary.period.start),
            period_end=wire_instant(summary.period.end),
            total_quantity=summary.quantity,
            currency=summary.currency,
            amount_cents=summary.amount.minor,
            meters=tuple(map(MeterUsageOut.of, summary.lines)),
            computed_at=wire_instant(summary.computed_at),
        )


class RejectedUsageOut(Shape, frozen=True, kw_only=True):
    """An event that was not taken: its place in the request, and why."""

    index: int
    code: str
    message: str


class UsageBatchOut(Shape, frozen=True, kw_only=True):
    """What became of a batch: taken, known already, and not taken."""

    accepted: int
    duplicates: int
    rejected: tuple[RejectedUsageOut, ...]


class UsageAggregateOut(Shape, frozen=True, kw_only=True):
    """What a meter had counted in a period when a threshold was reached."""

    id: str
    object: Literal["usage"] = "usage"
    subscription_id: SubscriptionKey
    meter_id: str
    period_start: WireInstant
    period_end: WireInstant
    threshold: int
    total_quantity: int
    computed_at: WireInstant
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, aggregate: UsageAggregate) -> "UsageAggregateOut":
        """The aggregate's shape."""
        return cls(
            id=aggregate.id,
            subscription_id=aggregate.subscription_id,
            meter_id=aggregate.meter_id,
            period_start=wire_instant(aggregate.period.start),
            period_end=wire_instant(aggregate.period.end),
            threshold=aggregate.threshold,
            total_quantity=aggregate.quantity,
            computed_at=wire_instant(aggregate.created_at),
            version=aggregate.version,
            created_at=wire_instant(aggregate.created_at),
            updated_at=wire_instant(aggregate.updated_at),
        )
