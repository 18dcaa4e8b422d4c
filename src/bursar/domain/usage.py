"""Usage: what is reported, when it is too late or too early, and what a period adds up to.

An event is a fact with a key of its own: told twice it counts once, for ever. It counts on the
civil day it happened, so a day that was billed already and then changes is found and adjusted; no
event is ever moved to another period. The quantity of a period depends on the set of its events
only, never on the order in which they came.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, assert_never

import msgspec
from msgspec import Struct

from bursar.domain.calendars import day_in
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import UsageThresholdReached
from bursar.domain.ids import MeterId, SubscriptionId, UsageAggregateId, UsageEventId
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.money import Money, total
from bursar.domain.pricing import QUANTITY_MAX
from bursar.domain.refusals import AmountTooLarge, InvalidInput, NotFound, Refusal, UsageKeyTaken
from bursar.domain.times import Day, Instant, Period

EVENTS_MAX: Final = 1000
FUTURE_MAX: Final = timedelta(hours=1)

Properties = Mapping[str, str | int]


class UsageReport(msgspec.Struct, frozen=True):
    """An event as it is reported; without a meter the subscription's plan says which."""

    subscription_id: SubscriptionId
    meter_id: MeterId | None
    key: str
    quantity: int
    at: Instant
    properties: Properties


class CountedSubscription(msgspec.Struct, frozen=True):
    """What counting needs to know of a subscription: when it runs, and what its plan meters."""

    id: SubscriptionId
    started_at: Instant
    ended_at: Instant | None
    timezone: str
    meter_ids: tuple[MeterId, ...]


class UsageEvent(msgspec.Struct, frozen=True):
    """An event as it is kept. `value` is what its meter adds up, `distinct` what it tells apart."""

    id: UsageEventId
    subscription_id: SubscriptionId
    meter_id: MeterId | None
    key: str
    quantity: int
    at: Instant
    properties: Properties
    day: Day
    value: int
    distinct: str | None
    recorded_at: Instant

    def repeats(self, report: UsageReport) -> bool:
        """Whether a report with this key says the same."""
        return (
            report.subscription_id == self.subscription_id
            and report.quantity == self.quantity
            and report.at == self.at
            and report.properties == self.properties
            and report.meter_id in {None, self.meter_id}
        )

    def repeated_by(self, report: UsageReport) -> "UsageEvent | Refusal":
        """The event, for whoever reports it again; a refusal when they say something else."""
        if self.repeats(report):
            return self
        return UsageKeyTaken(f"The key {self.key} belongs to another event, {self.id}.")


class Counted(msgspec.Struct, frozen=True):
    """How a report counts: on which day, for which meter, and as what."""

    meter_id: MeterId | None
    day: Day
    value: int
    distinct: str | None


class Limits(Struct, frozen=True):
    """Between when and when an event may have happened."""

    earliest: Instant
    latest: Instant
    late_days_max: int

    @classmethod
    def around(cls, now: Instant, late_days_max: int) -> "Limits":
        """What is allowed now."""
        return cls(now - timedelta(days=late_days_max), now + FUTURE_MAX, late_days_max)

    def refusal(self, at: Instant) -> Refusal | None:
        """Why an event of this instant comes too early or too late."""
        if at > self.latest:
            says = "lies more than an hour in the future"
            return InvalidInput.at("timestamp", says, "in_the_future")
        if at < self.earliest:
            says = f"lies more than {self.late_days_max} days in the past"
            return InvalidInput.at("timestamp", says, "too_late")
        return None


def meter_of(report: UsageReport, subscription: CountedSubscription) -> MeterId | Refusal | None:
    """The meter a report is for; None when the plan meters nothing: counted, and not billed."""
    if report.meter_id is not None or not subscription.meter_ids:
        return report.meter_id
    if len(subscription.meter_ids) == 1:
        return subscription.meter_ids[0]
    says = "is needed: the plan has several meters"
    return InvalidInput.at("meterId", says, "required")


def count(
    report: UsageReport, subscription: CountedSubscription, meter: Meter | None, limits: Limits
) -> Counted | Refusal:
    """How a report counts, or why it does not."""
    refusal = limits.refusal(report.at) or _outside(report.at, subscription)
    if refusal is not None:
        return refusal
    day = day_in(report.at, subscription.timezone)
    if meter is None or meter.property_name is None:
        return Counted(None if meter is None else meter.id, day, report.quantity, None)
    found, place = report.properties.get(meter.property_name), f"properties.{meter.property_name}"
    if found is None:
        return InvalidInput.at(place, f"is what the meter {meter.key} looks at", "required")
    if meter.aggregation is Aggregation.UNIQUE:
        return Counted(meter.id, day, report.quantity, str(found))
    if not isinstance(found, int) or not 0 <= found <= QUANTITY_MAX:
        says = f"must be a whole number for the meter {meter.key}"
        return InvalidInput.at(place, says, "wrong_type")
    return Counted(meter.id, day, found, None)


def _outside(at: Instant, subscription: CountedSubscription) -> Refusal | None:
    if at < subscription.started_at:
        return InvalidInput.at("timestamp", "lies before the subscription began", "not_subscribed")
    if subscription.ended_at is not None and at >= subscription.ended_at:
        return InvalidInput.at("timestamp", "lies after the subscription ended", "not_subscribed")
    return None


def unknown_subscription(subscription_id: SubscriptionId) -> Refusal:
    """No such subscription here."""
    return NotFound(f"No subscription {subscription_id}.")


def unknown_meter() -> Refusal:
    """No such meter here."""
    return InvalidInput.at("meterId", "is no meter of yours", "unknown_meter")


class Tally(Struct, frozen=True):
    """What the events of some days come to, in every way a meter may look at them."""

    event_count: int = 0
    total: int = 0
    greatest: int = 0
    latest: int = 0
    distinct: int = 0

    def quantity(self, aggregation: Aggregation) -> int:
        """The quantity by this aggregation.

        Raises:
            AmountTooLarge: a sum left the exact range.
        """
        match aggregation:
            case Aggregation.SUM:
                found = self.total
            case Aggregation.COUNT:
                found = self.event_count
            case Aggregation.MAX:
                found = self.greatest
            case Aggregation.UNIQUE:
                found = self.distinct
            case Aggregation.LATEST:
                found = self.latest
            case _:
                assert_never(aggregation)
        if found > QUANTITY_MAX:
            raise AmountTooLarge("The usage of the period is beyond every exact number.")
        return found


class MeterUsage(Struct, frozen=True):
    """What one meter counted in a period, and what that costs so far."""

    meter: Meter | None
    period: Period
    event_count: int
    quantity: int
    amount: Money


class UsageSummary(Struct, frozen=True):
    """What a subscription used in a period."""

    subscription_id: SubscriptionId
    currency: Currency
    period: Period
    lines: tuple[MeterUsage, ...]
    computed_at: Instant

    @property
    def quantity(self) -> int:
        """All quantities together, whatever they are of."""
        return sum(line.quantity for line in self.lines)

    @property
    def amount(self) -> Money:
        """What is due for usage so far."""
        return total((line.amount for line in self.lines), self.currency)


class UsageAggregate(Struct, frozen=True):
    """What a meter had counted in a period when a threshold was reached."""

    id: UsageAggregateId
    subscription_id: SubscriptionId
    meter_id: MeterId
    period: Period
    threshold: int
    quantity: int
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant


def reached(meter: Meter, quantity: int, told: Iterable[int]) -> tuple[int, ...]:
    """The thresholds that the quantity has reached and that were not told of in this period."""
    known = frozenset(told)
    return tuple(each for each in meter.thresholds if each <= quantity and each not in known)


def tell(aggregate: UsageAggregate) -> Change:
    """The threshold is reached; it is told this once."""
    assert aggregate.quantity >= aggregate.threshold
    return Change(rows=(aggregate,), events=(UsageThresholdReached(aggregate),))
