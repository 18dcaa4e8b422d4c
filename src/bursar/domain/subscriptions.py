"""Subscriptions: what a customer agreed to, from which day on, and the states of the agreement.

A subscription begins with a civil day of the organization. It names a version of a plan's prices
and keeps it until it is changed. Its current period is the one that is being used; periods follow
each other without a gap. What a step costs is for `agreements` to say; what was billed stands in
the books of billing. Every step between states is an edge of one table.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.calendars import Cycle, cycle_from, days_after, default_anchor_day
from bursar.domain.change import Change
from bursar.domain.events import (
    Event,
    SubscriptionCanceled,
    SubscriptionCreated,
    SubscriptionPastDue,
    SubscriptionPaused,
    SubscriptionReactivated,
    SubscriptionResumed,
    SubscriptionTrialEnded,
    SubscriptionUpdated,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId, CustomerId, PlanId, SubscriptionId
from bursar.domain.money import Money
from bursar.domain.pricing import BillingInterval
from bursar.domain.proration import prorated
from bursar.domain.refusals import GraceIsOver, IllegalTransition
from bursar.domain.times import Instant, Period

MONTHS: Final[dict[BillingInterval, int]] = {BillingInterval.MONTH: 1, BillingInterval.YEAR: 12}


class SubscriptionStatus(StrEnum):
    """Where the agreement stands."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"


_S = SubscriptionStatus
# One event for each step; a way back to active is told as what it is.
TRANSITIONS: Final[dict[SubscriptionStatus, dict[SubscriptionStatus, type[Event]]]] = {
    _S.TRIALING: {_S.ACTIVE: SubscriptionTrialEnded, _S.CANCELED: SubscriptionCanceled},
    _S.ACTIVE: {
        _S.PAST_DUE: SubscriptionPastDue,
        _S.PAUSED: SubscriptionPaused,
        _S.CANCELED: SubscriptionCanceled,
    },
    _S.PAST_DUE: {
        _S.ACTIVE: SubscriptionUpdated,
        _S.PAUSED: SubscriptionPaused,
        _S.CANCELED: SubscriptionCanceled,
    },
    _S.PAUSED: {_S.ACTIVE: SubscriptionResumed, _S.CANCELED: SubscriptionCanceled},
    _S.CANCELED: {_S.ACTIVE: SubscriptionReactivated},
}


class Agreed(Struct, frozen=True):
    """What somebody agreed to pay for: so many of a plan, at the prices of one version."""

    plan_id: PlanId
    plan_version: int
    quantity: int


class Restart(Struct, frozen=True):
    """A plan whose periods are counted anew: from the start of `period`.

    It is agreed to `since` an instant within that period: never before what was agreed to last.
    """

    agreed: Agreed
    period: Period
    anchor_day: int
    since: Instant


class GivenCoupon(Struct, frozen=True):
    """A coupon of a subscription: for periods that begin at `since` or later, and before `until`.

    One that is taken away stays for the period that is charged already.
    """

    coupon_id: CouponId
    since: Instant
    until: Instant | None = None

    def is_for(self, period: Period) -> bool:
        """Whether it was given for a period; how long it lasts by itself is for the coupon."""
        return self.since <= period.start and (self.until is None or period.start < self.until)


class Subscription(Struct, frozen=True):
    """One agreement. `ended_at` is when it stopped; `canceled_at` when somebody asked for that.

    Periods are counted from `anchored_at`. The rest of the current period is charged for as
    `charged` says, and not at all where that is None: in a trial, a pause, and before a start.
    `scheduled` is what is agreed to from the next period on.
    """

    id: SubscriptionId
    customer_id: CustomerId
    agreed: Agreed
    agreed_since: Instant
    status: SubscriptionStatus
    anchor_day: int
    anchored_at: Instant
    started_at: Instant
    period: Period
    charged: Agreed | None
    scheduled: Agreed | None
    coupons: tuple[GivenCoupon, ...]
    trial_end: Instant | None
    cancel_at_period_end: bool
    cancel_reason: str | None
    canceled_at: Instant | None
    paused_at: Instant | None
    ended_at: Instant | None
    metadata: dict[str, str]
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def to(self, status: SubscriptionStatus) -> "Subscription":
        """The same subscription in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Subscription {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    @property
    def plan_id(self) -> PlanId:
        """The plan it is for now."""
        return self.agreed.plan_id

    @property
    def plan_version(self) -> int:
        """The version of the plan's prices that it keeps."""
        return self.agreed.plan_version

    @property
    def quantity(self) -> int:
        """How many of the plan."""
        return self.agreed.quantity

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status is not _S.CANCELED

    def cycle(self, interval: BillingInterval, timezone: str) -> Cycle:
        """The periods of the subscription, counted from its anchor.

        A trial is before them: they begin where it ends.
        """
        return cycle_from(
            self.anchored_at, timezone, anchor_day=self.anchor_day, months=MONTHS[interval]
        )

    def edit(self, after: "Subscription") -> Change | None:
        """Other words or coupons for the same agreement, as a caller wants them."""
        assert after.id == self.id
        return None if after == self else self._updated(after)

    def give(self, wanted: Sequence[CouponId], at: Instant) -> "Subscription":
        """The same subscription with these coupons, from the period on that is not charged yet.

        Those it keeps stay in their order, new ones come after them.
        """
        is_begun = at >= self.started_at
        since = self.period.end if is_begun else self.period.start
        kept = [replace(each, until=None) for each in self._lasting() if each.coupon_id in wanted]
        ended = [
            replace(each, until=self.period.end)
            for each in self._lasting()
            if each.coupon_id not in wanted and is_begun and each.since < self.period.end
        ]
        known = {each.coupon_id for each in kept}
        new = [GivenCoupon(each, since) for each in wanted if each not in known]
        order = [each.coupon_id for each in self.coupons]
        former = sorted((*kept, *ended), key=lambda each: order.index(each.coupon_id))
        return replace(self, coupons=(*former, *new))

    def _lasting(self) -> list[GivenCoupon]:
        """The coupons that were not taken away before the current period."""
        return [
            each for each in self.coupons if each.until is None or each.until > self.period.start
        ]

    def agree(self, agreed: Agreed, charged: Agreed | None, at: Instant) -> Change:
        """Another plan or quantity from now on; whatever was scheduled is forgotten.

        Raises:
            IllegalTransition: it rests or has ended.
        """
        self.require(_S.TRIALING, _S.ACTIVE, _S.PAST_DUE)
        after = replace(self, agreed=agreed, agreed_since=at, charged=charged, scheduled=None)
        return self._updated(after)

    def schedule(self, agreed: Agreed) -> Change | None:
        """Another plan or quantity from the next period on; what it has now schedules nothing.

        Raises:
            IllegalTransition: it rests, has ended, or ends with the period.
        """
        self.require(_S.TRIALING, _S.ACTIVE, _S.PAST_DUE)
        if self.cancel_at_period_end:
            self._refuse("it ends with its period")
        scheduled = None if agreed == self.agreed else agreed
        return self.edit(replace(self, scheduled=scheduled))

    def restart(self, anew: "Restart") -> Change:
        """Another plan from now on, whose periods are counted anew.

        Raises:
            IllegalTransition: it rests or has ended.
        """
        self.require(_S.TRIALING, _S.ACTIVE, _S.PAST_DUE)
        start = anew.period.start
        coupons = (
            replace(each, since=min(each.since, start))
            for each in self.coupons
            if each.until is None
        )
        return self._updated(
            replace(
                self,
                agreed=anew.agreed,
                agreed_since=anew.since,
                coupons=tuple(coupons),
                charged=anew.agreed,
                scheduled=None,
                anchored_at=start,
                anchor_day=anew.anchor_day,
                period=anew.period,
            )
        )

    def end_trial(self, period: Period) -> Change:
        """The trial is over; the first period that is paid for begins."""
        assert self.status is _S.TRIALING
        return self._step(self._renewed(self.to(_S.ACTIVE), period))

    def fall_behind(self) -> Change:
        """An invoice could not be collected."""
        return self._step(self.to(_S.PAST_DUE))

    def recover(self) -> Change:
        """What was overdue has been paid."""
        assert self.status is _S.PAST_DUE
        return self._step(self.to(_S.ACTIVE))

    def pause(self, at: Instant) -> Change:
        """Nothing is billed until it is resumed."""
        return self._step(replace(self.to(_S.PAUSED), paused_at=at, charged=None))

    def resume(self, at: Instant) -> Change:
        """Go on within the current period."""
        self.require(_S.PAUSED)
        after = replace(self.to(_S.ACTIVE), paused_at=None, charged=self.agreed, agreed_since=at)
        return self._step(after)

    def renew(self, period: Period, *, is_anew: bool = False) -> Change:
        """The next period begins, with what was scheduled for it; its length may be another."""
        assert period.start == self.period.end, "periods follow each other"
        after = replace(self, anchored_at=period.start) if is_anew else self
        return self._updated(self._renewed(after, period))

    def cancel(
        self, at: Instant, *, reason: str | None = None, is_credited: bool = False
    ) -> Change:
        """End it now; when the rest of the period is given back, it is charged for no more."""
        return self._step(
            replace(
                self.to(_S.CANCELED),
                canceled_at=self.canceled_at or at,
                cancel_reason=reason or self.cancel_reason,
                charged=None if is_credited else self.charged,
                ended_at=at,
                paused_at=None,
                scheduled=None,
                cancel_at_period_end=False,
            )
        )

    def cancel_at_end(self, at: Instant, reason: str | None = None) -> Change | None:
        """End it with the period that is being used."""
        self.to(_S.CANCELED)  # refuse what cannot be canceled at all
        if self.cancel_at_period_end:
            return None
        planned = replace(self, cancel_at_period_end=True, canceled_at=at, cancel_reason=reason)
        return self._updated(replace(planned, scheduled=None))

    def keep(self) -> Change:
        """Go on after all: a cancellation that has not taken effect is taken back."""
        assert self.cancel_at_period_end
        after = replace(self, cancel_at_period_end=False, canceled_at=None, cancel_reason=None)
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(SubscriptionReactivated(after, self),))

    def reactivate(self, period: Period, at: Instant, *, grace_end: Instant) -> Change:
        """Go on, in this period, after an end that somebody regrets in time.

        Raises:
            IllegalTransition: it has not ended.
            GraceIsOver: it ended too long ago.
        """
        self.require(_S.CANCELED)
        if at >= grace_end:
            raise GraceIsOver(f"Subscription {self.id} ended too long ago to be reactivated.")
        after = replace(self.to(_S.ACTIVE), period=period, ended_at=None, canceled_at=None)
        is_same_period = period == self.period
        charged = self.charged if is_same_period and self.charged else self.agreed
        trial_end = None if self.trial_end is None else min(self.trial_end, at)
        after = replace(after, cancel_reason=None, charged=charged, trial_end=trial_end)
        return self._step(replace(after, agreed_since=max(at, self.started_at)))

    def require(self, *statuses: SubscriptionStatus) -> None:
        """Check that it is in one of these states.

        Raises:
            IllegalTransition: it is in another.
        """
        if self.status not in statuses:
            allowed = " or ".join(each.value for each in statuses)
            self._refuse(f"it has to be {allowed}")

    def _renewed(self, after: "Subscription", period: Period) -> "Subscription":
        agreed = self.scheduled or self.agreed
        charged = None if after.status is _S.PAUSED else agreed
        since = self.agreed_since if self.scheduled is None else period.start
        after = replace(after, period=period, agreed=agreed, agreed_since=since)
        return replace(after, charged=charged, scheduled=None)

    def _updated(self, after: "Subscription") -> Change:
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(SubscriptionUpdated(after, self),))

    def _step(self, after: "Subscription") -> Change:
        event = TRANSITIONS[self.status][after.status]
        return Change(rows=(after,), events=(event(after, self),))

    def _refuse(self, why: str) -> None:
        raise IllegalTransition(
            f"Subscription {self.id} is {self.status.value}; {why}.",
            facts={
                "currentStatus": self.status.value,
                "allowedTransitions": [each.value for each in TRANSITIONS[self.status]],
            },
        )


class Wish(Struct, frozen=True, kw_only=True):
    """A subscription to be, as somebody asks for it."""

    id: SubscriptionId
    customer_id: CustomerId
    agreed: Agreed
    interval: BillingInterval
    timezone: str
    started_at: Instant
    trial_end: Instant | None
    anchor_day: int | None
    coupon_ids: tuple[CouponId, ...]
    metadata: dict[str, str]

    def draft(self, at: Instant) -> Subscription:
        """The subscription in its first period; a trial that is over already is none."""
        is_trial = self.trial_end is not None and self.trial_end > at
        first = self.started_at if self.trial_end is None else self.trial_end
        anchor_day = self.anchor_day or default_anchor_day(first, self.timezone)
        cycle = cycle_from(
            first, self.timezone, anchor_day=anchor_day, months=MONTHS[self.interval]
        )
        paid = Period(first, cycle.period_at(first).end)
        return Subscription(
            id=self.id,
            customer_id=self.customer_id,
            agreed=self.agreed,
            agreed_since=self.started_at,
            status=_S.TRIALING if is_trial else _S.ACTIVE,
            anchor_day=anchor_day,
            anchored_at=first,
            started_at=self.started_at,
            period=Period(self.started_at, first) if is_trial else paid,
            charged=None if is_trial else self.agreed,
            scheduled=None,
            coupons=tuple(GivenCoupon(each, first) for each in self.coupon_ids),
            trial_end=self.trial_end,
            cancel_at_period_end=False,
            cancel_reason=None,
            canceled_at=None,
            paused_at=None,
            ended_at=None,
            metadata=self.metadata,
            version=1,
            sequence=0,
            created_at=at,
            updated_at=at,
        )


def subscribe(subscription: Subscription) -> Change:
    """A new subscription, in trial or active."""
    assert subscription.status in {_S.TRIALING, _S.ACTIVE}
    assert subscription.status is not _S.TRIALING or subscription.trial_end is not None
    return Change(rows=(subscription,), events=(SubscriptionCreated(subscription),))


def grace_end(ended_at: Instant, grace_days: int, timezone: str) -> Instant:
    """Until when a canceled subscription can be taken up again."""
    return days_after(ended_at, grace_days, timezone)


def share_of(amount: Money, cycle: Cycle, part: Period) -> Money:
    """What a part of one period costs of that period's amount.

    A part that began under another time zone may reach beyond; it is then the period.
    """
    whole = cycle.period_at(part.start)
    return prorated(amount, Period(whole.start, max(whole.end, part.end)), part=part)
