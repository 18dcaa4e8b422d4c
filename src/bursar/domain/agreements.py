"""What each step of a subscription costs: the one place where an agreement becomes lines.

The plan's own price is charged for a whole period when it begins, as a pending line; what happens
in the middle gives back the rest of what was charged and charges the rest of what is agreed now.
So the lines of a period add up to what it cost, to the minor unit, whenever billing gets to them.
Usage is charged by billing, when a period is over.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.agenda import Due, DueKind
from bursar.domain.calendars import Cycle, day_begins, default_anchor_day
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon, discounts
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId, PlanId
from bursar.domain.money import Money
from bursar.domain.pending_lines import DropWaiting, PendingKind, PendingLine
from bursar.domain.proration import prorated
from bursar.domain.refusals import IllegalTransition
from bursar.domain.subscriptions import (
    Agreed,
    Restart,
    Subscription,
    SubscriptionStatus,
    share_of,
    subscribe,
)
from bursar.domain.times import Instant, Period, wire_instant

PERIODS_AT_ONCE_MAX: Final = 400
"""Periods of a subscription that are made up for in one go."""


class Proration(StrEnum):
    """What a change in the middle of a period does to its price."""

    CREATE = "create_prorations"  # the rest of the old is given back, the rest of the new is due
    NONE = "none"  # nothing until the next period
    AT_PERIOD_END = "at_period_end"  # the change itself waits for the next period


def recurring(plan: Plan, quantity: int) -> Money:
    """What so many of a plan cost in a whole period, without usage and before any coupon.

    This is the one place that says so: invoices, prorations and recurring revenue start from it.
    """
    if plan.own_price.is_metered:
        return Money.zero(plan.currency)
    return plan.own_price.amount(quantity, plan.currency)


class Agreement(Struct, frozen=True):
    """A subscription beside everything it names: plans in their versions, and coupons."""

    subscription: Subscription
    plans: Mapping[tuple[PlanId, int], Plan]
    coupons: Mapping[CouponId, Coupon]
    timezone: str

    @property
    def plan(self) -> Plan:
        """The plan it is for now, with the prices that were agreed to."""
        return self.plan_of(self.subscription.agreed)

    @property
    def currency(self) -> Currency:
        """What it is paid in."""
        return self.plan.currency

    def plan_of(self, agreed: Agreed) -> Plan:
        """A plan with the prices of the version that is named."""
        return self.plans[agreed.plan_id, agreed.plan_version]

    def moment(self, now: Instant) -> Instant:
        """When a step of now takes effect: never before the last one, which it may have waited for.

        A step that waits for another may have begun before it; it still comes after.
        """
        before = self.subscription
        if now < before.started_at:
            return now
        rested = before.paused_at or before.ended_at or now
        return max(now, before.period.start, before.agreed_since, rested)

    def is_behind(self, at: Instant) -> bool:
        """Whether its current period is over, and nothing has come of it yet."""
        return self.subscription.is_running and self.subscription.period.end <= at

    def covering(self, period: Period) -> tuple[Coupon, ...]:
        """The coupons that take something off a period, in the order they were given."""
        return tuple(
            self.coupons[given.coupon_id]
            for given in self.subscription.coupons
            if given.is_for(period)
            and self.coupons[given.coupon_id].covers(
                period, first=Period(given.since, period.end), timezone=self.timezone
            )
        )

    def following(self) -> Period:
        """The period after the current one."""
        subscription = self.subscription
        agreed, end = subscription.scheduled or subscription.agreed, subscription.period.end
        return Period(end, self._cycle(agreed).period_at(end).end)

    def begin(self, at: Instant) -> Change:
        """The subscription comes into being: a line for each period that has begun.

        Its first period is the current one, before this; the others follow it up to now.
        """
        current, lines = self, []
        if current.subscription.charged is not None:
            lines = [current.line_of_period(at)]
            for _ in range(PERIODS_AT_ONCE_MAX):
                if current.subscription.period.end > at:
                    break
                after = replace(current.subscription, period=current.following())
                current = replace(current, subscription=after)
                lines.append(current.line_of_period(at))
        return _leaving(subscribe(current.subscription), *lines, looked_at=True)

    def turn(self) -> Change:
        """What happens at the end of the current period: it ends, or the next one begins."""
        before = self.subscription
        if before.cancel_at_period_end:
            return _looked_at(before.cancel(before.period.end), before.period.end)
        is_trial = before.status is SubscriptionStatus.TRIALING
        coming = self.plan_of(before.scheduled or before.agreed)
        is_anew = coming.interval is not self.plan.interval
        period = self.following()
        change = before.end_trial(period) if is_trial else before.renew(period, is_anew=is_anew)
        after = self.after(change)
        if after.subscription.charged is None:
            return _looked_at(change, period.end)
        return _leaving(change, after.line_of_period(period.start), looked_at=True)

    def change(self, agreed: Agreed, proration: Proration, at: Instant) -> Change:
        """Another plan, another version of its prices, or another quantity.

        Raises:
            IllegalTransition: it rests, has ended, or ends with its period.
        """
        before = self.subscription
        if proration is Proration.AT_PERIOD_END:
            return before.schedule(agreed) or Change()
        before.require(
            SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE
        )
        if agreed == before.agreed:
            return before.edit(replace(before, scheduled=None)) or Change()
        return self._change_now(agreed, proration, at)

    def _change_now(self, agreed: Agreed, proration: Proration, at: Instant) -> Change:
        before = self.subscription
        if before.charged is None:
            return before.agree(agreed, None, max(at, before.started_at))
        if at < before.started_at:
            return self._change_before_start(agreed, at)
        if self.plan_of(agreed).interval is not self.plan.interval:
            return self._begin_anew(agreed, proration, at)
        if proration is Proration.NONE:
            return before.agree(agreed, before.charged, at)
        part = Period(at, before.period.end)
        change = before.agree(agreed, agreed, at)
        return _leaving(change, self._credit(part, at), self._rest(agreed, part, at))

    def pause(self, at: Instant) -> Change:
        """Rest from now on; what was charged for the rest of the period is given back.

        Raises:
            IllegalTransition: it is in no state to rest, or has not begun.
        """
        before = self.subscription
        change = before.pause(at)
        if at < before.started_at:
            raise IllegalTransition(
                f"Subscription {before.id} has not begun; it cannot be paused.",
                facts={"currentStatus": before.status.value},
            )
        return _leaving(change, self._credit(Period(at, before.period.end), at))

    def resume(self, at: Instant) -> Change:
        """Go on; the rest of the period is charged for."""
        before = self.subscription
        change = before.resume(at)
        rest = self._rest(before.agreed, Period(at, before.period.end), at)
        return _leaving(change, rest, looked_at=True)

    def cancel(self, at: Instant, reason: str | None, *, is_credited: bool) -> Change:
        """End now; what is left of the period is given back if that is wished.

        One that has not begun owes nothing.
        """
        before = self.subscription
        is_begun = at >= before.started_at
        is_credited = (is_credited or not is_begun) and before.charged is not None
        change = before.cancel(at, reason=reason, is_credited=is_credited)
        if not is_begun:
            return _looked_at(replace(change, pending=(DropWaiting(before.id),)), at)
        if not is_credited:
            return _looked_at(change, at)
        return _looked_at(_leaving(change, self._credit(Period(at, before.period.end), at)), at)

    def reactivate(self, at: Instant, *, grace_end: Instant) -> Change:
        """Go on after a cancellation: in the period that is paid for, or in one from now on.

        Raises:
            IllegalTransition: it was not canceled.
            GraceIsOver: it ended too long ago.
        """
        before = self.subscription
        if before.cancel_at_period_end:
            return before.keep()
        is_paid = before.charged is not None and at < before.period.end
        if is_paid:
            change = before.reactivate(before.period, at, grace_end=grace_end)
            return _looked_at(change, at)
        start = max(at, before.started_at)
        period = Period(start, self._cycle(before.agreed).period_at(start).end)
        change = before.reactivate(period, at, grace_end=grace_end)
        return _leaving(change, self.after(change).line_of_period(at), looked_at=True)

    def line_of_period(self, at: Instant) -> PendingLine | None:
        """The own price for the current period, due when it begins."""
        subscription = self.subscription
        agreed, period = subscription.agreed, subscription.period
        if self.plan_of(agreed).own_price.is_metered:
            return None
        amount, due_at = self._share(agreed, period), max(at, period.start)
        line = self._line(agreed, period, amount, due_at)
        parts = self.plan_of(agreed).own_price.parts(agreed.quantity)
        if len(parts) == 1 and amount == recurring(self.plan_of(agreed), agreed.quantity):
            part = parts[0]
            return replace(line, quantity=part.quantity, unit_amount=part.unit_amount)
        return line

    def after(self, change: Change) -> "Agreement":
        """The agreement with the subscription as a change leaves it."""
        found = [row for row in change.rows if isinstance(row, Subscription)]
        return replace(self, subscription=found[-1])

    def _change_before_start(self, agreed: Agreed, at: Instant) -> Change:
        before = self.subscription
        start = before.period.start
        period = Period(start, self._cycle(agreed).period_at(start).end)
        change = before.restart(Restart(agreed, period, before.anchor_day, start))
        line = self.after(change).line_of_period(at)
        change = _leaving(change, line, looked_at=True)
        return replace(change, pending=(DropWaiting(before.id), *change.pending))

    def _begin_anew(self, agreed: Agreed, proration: Proration, at: Instant) -> Change:
        """Periods of another length begin with today."""
        before = self.subscription
        start = max(day_begins(at, self.timezone), before.period.start)
        anchor_day = default_anchor_day(start, self.timezone)
        anew = replace(before, anchored_at=start, anchor_day=anchor_day)
        cycle = anew.cycle(self.plan_of(agreed).interval, self.timezone)
        period = Period(start, cycle.period_at(start).end)
        change = before.restart(Restart(agreed, period, anchor_day, at))
        line = self.after(change).line_of_period(at)
        if proration is Proration.NONE:
            return _leaving(change, line, looked_at=True)
        credit = self._credit(Period(start, before.period.end), at)
        return _leaving(change, credit, line, looked_at=True)

    def _cycle(self, agreed: Agreed) -> Cycle:
        """The periods by which a plan is charged; another interval is counted from what ends."""
        subscription, interval = self.subscription, self.plan_of(agreed).interval
        if subscription.scheduled == agreed and interval is not self.plan.interval:
            subscription = replace(subscription, anchored_at=subscription.period.end)
        return subscription.cycle(interval, self.timezone)

    def _share(self, agreed: Agreed, period: Period) -> Money:
        amount = recurring(self.plan_of(agreed), agreed.quantity)
        return share_of(amount, self._cycle(agreed), period)

    def _net(self, agreed: Agreed) -> Money:
        """What the current period costs by these terms, less the coupons that are for it."""
        period = self.subscription.period
        gross = self._share(agreed, period)
        (off,) = discounts(self.covering(period), (gross,))
        return gross - off

    def _credit(self, part: Period, at: Instant) -> PendingLine | None:
        charged = self.subscription.charged
        assert charged is not None, "only what was charged is given back"
        amount = -prorated(self._net(charged), self.subscription.period, part=part)
        return self._prorated(charged, part, amount, at)

    def _rest(self, agreed: Agreed, part: Period, at: Instant) -> PendingLine | None:
        amount = prorated(self._net(agreed), self.subscription.period, part=part)
        return self._prorated(agreed, part, amount, at)

    def _prorated(
        self, agreed: Agreed, part: Period, amount: Money, at: Instant
    ) -> PendingLine | None:
        if amount.is_zero:
            return None
        line = self._line(agreed, part, amount, at)
        words = "Unused time on" if amount.is_negative else "Remaining time on"
        period, net = self.subscription.period, self._net(agreed)
        off = self._share(agreed, period) - net
        derivation = {
            **line.derivation,
            "period": _shown(period),
            "discountCents": off.minor,
            "netCents": net.minor,
        }
        return replace(
            line,
            kind=PendingKind.PRORATION,
            description=f"{words} {line.description}",
            is_discountable=False,
            derivation=derivation,
        )

    def _line(self, agreed: Agreed, period: Period, amount: Money, due_at: Instant) -> PendingLine:
        plan = self.plan_of(agreed)
        return PendingLine(
            customer_id=self.subscription.customer_id,
            subscription_id=self.subscription.id,
            kind=PendingKind.SUBSCRIPTION,
            description=plan.name if agreed.quantity == 1 else f"{agreed.quantity} × {plan.name}",
            quantity=1,
            unit_amount=Decimal(amount.minor),
            amount=amount,
            period=period,
            price_id=plan.own_price.id,
            is_discountable=True,
            due_at=due_at,
            derivation=dict(self._derivation(agreed, period)),
        )

    def _derivation(self, agreed: Agreed, part: Period) -> Iterator[tuple[str, object]]:
        plan = self.plan_of(agreed)
        whole = self._cycle(agreed).period_at(part.start)
        yield "planId", plan.id
        yield "priceVersion", agreed.plan_version
        yield "pricingModel", plan.own_price.terms.model.value
        yield "billingInterval", plan.interval.value
        yield "quantity", agreed.quantity
        parts = plan.own_price.parts(agreed.quantity)
        yield (
            "parts",
            [{"quantity": each.quantity, "unitAmount": str(each.unit_amount)} for each in parts],
        )
        yield "recurringCents", recurring(plan, agreed.quantity).minor
        yield "whole", _shown(Period(whole.start, max(whole.end, part.end)))
        yield "part", _shown(part)


def _shown(period: Period) -> dict[str, str]:
    return {"start": wire_instant(period.start), "end": wire_instant(period.end)}


def _leaving(change: Change, *lines: PendingLine | None, looked_at: bool = False) -> Change:
    """The change with the lines it leaves; billing looks when the first is due, or at the end."""
    pending = tuple(line for line in lines if line is not None)
    change = replace(change, pending=pending)
    if not looked_at:
        return change
    (after,) = [row for row in change.rows if isinstance(row, Subscription)]
    return _looked_at(change, min((line.due_at for line in pending), default=after.period.end))


def _looked_at(change: Change, at: Instant) -> Change:
    (after,) = [row for row in change.rows if isinstance(row, Subscription)]
    return replace(change, agenda=(Due(DueKind.BILL_SUBSCRIPTION, after.id, at),))
