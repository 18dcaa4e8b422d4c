"""Looks at usage: what a period came to so far, and the events themselves."""

from datetime import timedelta

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.calendars import day_in, day_start
from bursar.domain.currencies import Currency
from bursar.domain.ids import MeterId, SubscriptionId, uuid_of
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.money import Money
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.plan_rows import row_to_meter, row_to_price, row_to_subscription
from bursar.domain.pricing import BillingInterval, Price
from bursar.domain.refusals import NotFound
from bursar.domain.subscriptions import Subscription
from bursar.domain.times import Day, Instant, Period
from bursar.domain.usage import MeterUsage, Tally, UsageEvent, UsageSummary
from bursar.domain.usage_rows import meter_id_of, row_to_tally, row_to_usage_event
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)

_DAY = timedelta(days=1)


class Agreement(Struct, frozen=True):
    """A subscription beside what it agreed to, as far as usage goes."""

    subscription: Subscription
    timezone: str
    currency: Currency
    interval: BillingInterval
    prices: tuple[Price, ...]
    meters: dict[MeterId, Meter]

    def period_of(self, price: Price | None, at: Instant) -> Period:
        """The period that usage under this price is added up over."""
        current = self.subscription.period
        if price is None or price.terms.interval is self.interval:
            return current
        whole = self.subscription.cycle(price.terms.interval, self.timezone).period_at(at)
        return Period(max(whole.start, self.subscription.started_at), whole.end)


@query(requires=Permission.USAGE_READ)
async def usage_summary(
    tx: ReadTx, subscription_id: SubscriptionId, window: Period | None
) -> UsageSummary:
    """What a subscription used in a window, or in its current period, and what that costs.

    Raises:
        NotFound: no such subscription in this organization.
    """
    return await summarized(tx, subscription_id, window)


@query(requires=Permission.USAGE_READ)
async def usage_events(
    tx: ReadTx, subscription_id: SubscriptionId, page: Page
) -> Paged[UsageEvent]:
    """The usage events of a subscription, the latest to happen first.

    Raises:
        NotFound: no such subscription in this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    if await tx.fetchrow(Q.agreed_subscription, *key) is None:
        raise NotFound(f"No subscription {subscription_id}.")
    rows = await tx.fetch(Q.usage_events, *key, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_usage_events, *key, COUNTED_MAX)
    return paged([*map(row_to_usage_event, rows)], page, total_count=count)


async def summarized(
    tx: ReadTx, subscription_id: SubscriptionId, window: Period | None
) -> UsageSummary:
    """The same within a verb, which has its own permission."""
    agreement = await _agreement(tx, subscription_id)
    period = window or agreement.subscription.period
    prices = {price.terms.meter_id: price for price in agreement.prices}
    tallies = await _tallies(tx, agreement, period)
    lines = []
    for meter_id in {**prices, **tallies}:
        price = prices.get(meter_id)
        counted = agreement.period_of(price, tx.now) if window is None else window
        tally = tallies.get(meter_id, Tally())
        if counted != period:
            tally = (await _tallies(tx, agreement, counted)).get(meter_id, Tally())
        meter = None if meter_id is None else agreement.meters[meter_id]
        lines.append(_line(agreement, meter, price, counted, tally))
    return UsageSummary(subscription_id, agreement.currency, period, tuple(lines), tx.now)


def _line(
    agreement: Agreement, meter: Meter | None, price: Price | None, period: Period, tally: Tally
) -> MeterUsage:
    quantity = tally.quantity(Aggregation.SUM if meter is None else meter.aggregation)
    amount = Money.zero(agreement.currency)
    if price is not None:
        amount = price.amount(quantity, agreement.currency)
    return MeterUsage(meter, period, tally.event_count, quantity, amount)


async def _agreement(tx: ReadTx, subscription_id: SubscriptionId) -> Agreement:
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    row = await tx.fetchrow(Q.agreed_subscription, *key)
    if row is None:
        raise NotFound(f"No subscription {subscription_id}.")
    subscription = row_to_subscription(row)
    prices = await tx.fetch(
        Q.metered_prices, key[0], uuid_of(subscription.plan_id), subscription.plan_version
    )
    meters = map(row_to_meter, await tx.fetch(Q.meters_of_subscription, *key))
    return Agreement(
        subscription,
        row["timezone"],
        Currency(row["currency"]),
        BillingInterval(row["billing_interval"]),
        tuple(map(row_to_price, prices)),
        {meter.id: meter for meter in meters},
    )


async def _tallies(tx: ReadTx, agreement: Agreement, period: Period) -> dict[MeterId | None, Tally]:
    """Sums over whole days where the period has none but whole ones, over the events elsewhere."""
    key = uuid_of(tx.org_id), uuid_of(agreement.subscription.id)
    days = _whole_days(period, agreement.timezone)
    if days is None:
        rows = await tx.fetch(Q.tallies_of_events, *key, period.start, period.end)
    else:
        rows = await tx.fetch(Q.tallies_of_days, *key, *days)
    return {meter_id_of(row["meter_id"]): row_to_tally(row) for row in rows}


def _whole_days(period: Period, timezone: str) -> tuple[Day, Day] | None:
    first, last = day_in(period.start, timezone), day_in(period.end - _TICK, timezone)
    after = last + _DAY
    is_whole = day_start(first, timezone) == period.start
    return (first, after) if is_whole and day_start(after, timezone) == period.end else None


_TICK = timedelta(microseconds=1)
