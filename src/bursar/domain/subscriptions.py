"""Subscriptions: what a customer agreed to, from which day on, and the states of the agreement.

A subscription begins with a civil day of the organization. It names a version of a plan's prices
and keeps it until it is changed. Its current period is the one that is being used; what was billed
stands in the books of billing, not here. Every step between states is an edge of one table.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bursar.domain.calendars import Cycle, cycle_from, days_after
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
from bursar.domain.ids import CustomerId, PlanId, SubscriptionId
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


@dataclass(frozen=True, slots=True)
class Subscription:
    """One agreement. `ended_at` is when it stopped; `canceled_at` when somebody asked for that."""

    id: SubscriptionId
    customer_id: CustomerId
    plan_id: PlanId
    plan_version: int
    status: SubscriptionStatus
    quantity: int
    anchor_day: int
    started_at: Instant
    period: Period
    trial_end: Instant | None
    cancel_at_period_end: bool
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

    def cycle(self, interval: BillingInterval, timezone: str) -> Cycle:
        """The periods of the subscription, counted from its anchor.

        A trial is before them: they begin where it ends.
        """
        first = self.trial_end or self.started_at
        return cycle_from(first, timezone, anchor_day=self.anchor_day, months=MONTHS[interval])

    def end_trial(self, period: Period) -> Change:
        """The trial is over; the first period that is paid for begins."""
        assert self.status is _S.TRIALING
        return self._step(replace(self.to(_S.ACTIVE), period=period))

    def fall_behind(self) -> Change:
        """An invoice could not be collected."""
        return self._step(self.to(_S.PAST_DUE))

    def recover(self) -> Change:
        """What was overdue has been paid."""
        assert self.status is _S.PAST_DUE
        return self._step(self.to(_S.ACTIVE))

    def pause(self, at: Instant) -> Change:
        """Nothing is billed until it is resumed."""
        return self._step(replace(self.to(_S.PAUSED), paused_at=at))

    def resume(self, period: Period) -> Change:
        """Go on with this period."""
        if self.status is not _S.PAUSED:
            self._refuse("only a paused one can be resumed")
        return self._step(replace(self.to(_S.ACTIVE), paused_at=None, period=period))

    def renew(self, period: Period) -> Change:
        """The next period begins."""
        assert period.start >= self.period.end, "periods follow each other"
        after = replace(self, period=period, version=self.version + 1)
        return Change(rows=(after,), events=(SubscriptionUpdated(after, self),))

    def cancel(self, at: Instant) -> Change:
        """End it now."""
        asked_at = self.canceled_at or at
        canceled = replace(self.to(_S.CANCELED), canceled_at=asked_at, ended_at=at, paused_at=None)
        return self._step(replace(canceled, cancel_at_period_end=False))

    def cancel_at_end(self, at: Instant) -> Change | None:
        """End it with the period that is being used."""
        self.to(_S.CANCELED)  # refuse what cannot be canceled at all
        if self.cancel_at_period_end:
            return None
        after = replace(self, cancel_at_period_end=True, canceled_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(SubscriptionUpdated(after, self),))

    def reactivate(self, period: Period, at: Instant, *, grace_end: Instant) -> Change:
        """Go on after a cancellation that somebody regrets in time.

        One that has not taken effect is taken back; one that has goes on with `period`.

        Raises:
            IllegalTransition: it was not canceled.
            GraceIsOver: it ended too long ago.
        """
        if self.cancel_at_period_end:
            after = replace(
                self, cancel_at_period_end=False, canceled_at=None, version=self.version + 1
            )
            return Change(rows=(after,), events=(SubscriptionReactivated(after, self),))
        if self.status is not _S.CANCELED:
            self._refuse("only a canceled one can be reactivated")
        if at >= grace_end:
            raise GraceIsOver(f"Subscription {self.id} ended too long ago to be reactivated.")
        active = self.to(_S.ACTIVE)
        return self._step(replace(active, canceled_at=None, ended_at=None, period=period))

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


def subscribe(subscription: Subscription) -> Change:
    """A new subscription, in trial or active."""
    assert subscription.status in {_S.TRIALING, _S.ACTIVE}
    assert (subscription.status is _S.TRIALING) == (subscription.trial_end is not None)
    return Change(rows=(subscription,), events=(SubscriptionCreated(subscription),))


def grace_end(ended_at: Instant, grace_days: int, timezone: str) -> Instant:
    """Until when a canceled subscription can be taken up again."""
    return days_after(ended_at, grace_days, timezone)


def share_of(amount: Money, cycle: Cycle, part: Period) -> Money:
    """What a part of one period costs of that period's amount."""
    return prorated(amount, cycle.period_at(part.start), part=part)
