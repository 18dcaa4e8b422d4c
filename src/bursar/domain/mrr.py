"""Monthly recurring revenue: what a subscription is worth a month, and how that moves.

Counted is what is charged for now, again and again: the prices that count no usage, times the
quantity, less coupons that last for ever, spread evenly over months and rounded once. A trial, a
pause and a start to come are worth nothing yet; an end is worth nothing any more. A coupon that
ends is a gift and lowers nothing. Every movement names its kind, and all of them add up to what is.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.agreements import recurring
from bursar.domain.catalog import Plan
from bursar.domain.discounts import Coupon, CouponDuration, discounts
from bursar.domain.events import Event
from bursar.domain.ids import CouponId
from bursar.domain.money import Money, half_even
from bursar.domain.subscriptions import MONTHS, Agreed, Subscription

_YEAR: Final = 12


class Movement(StrEnum):
    """Why the recurring revenue is another now."""

    NEW = "new"  # from nothing, for the first time
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"  # to nothing: canceled, or paused
    REACTIVATION = "reactivation"  # from nothing, once more


class Worth(Struct, frozen=True):
    """What decides how much a subscription is worth: so many of a plan's version, less coupons."""

    agreed: Agreed
    coupon_ids: tuple[CouponId, ...]


class Turn(Struct, frozen=True):
    """A subscription whose worth may be another after a fact than it was before."""

    subscription: Subscription
    before: Worth | None
    after: Worth | None


def worth(subscription: Subscription) -> Worth | None:
    """What counts of a subscription; nothing while nothing is charged for."""
    if not subscription.is_running or subscription.charged is None:
        return None
    lasting = (each.coupon_id for each in subscription.coupons if each.until is None)
    return Worth(subscription.charged, tuple(lasting))


def turns(events: Iterable[Event]) -> tuple[Turn, ...]:
    """What facts about subscriptions may have moved."""
    found: list[Turn] = []
    for event in events:
        match event.subject, event.before:
            case Subscription() as now, (Subscription() | None) as former:
                before = None if former is None else worth(former)
                if before != worth(now):
                    found.append(Turn(now, before, worth(now)))
    return tuple(found)


def monthly(plan: Plan, quantity: int, coupons: Sequence[Coupon]) -> Money:
    """What so many of a plan are worth a month.

    Twelve months or one year are added up as they are billed, and divided by twelve once.
    """
    lasting = [each for each in coupons if each.duration is CouponDuration.FOREVER]
    amount = recurring(plan, quantity)
    (off,) = discounts(lasting, (amount,))
    a_year = (amount - off).minor * (_YEAR // MONTHS[plan.interval])
    return Money(half_even(a_year, denominator=_YEAR), plan.currency)


def movement(*, before: Money, after: Money, was_ever_worth: bool) -> Movement | None:
    """The kind of a movement; none, where nothing moves."""
    if before == after:
        return None
    if before.is_zero:
        return Movement.REACTIVATION if was_ever_worth else Movement.NEW
    if after.is_zero:
        return Movement.CHURN
    return Movement.EXPANSION if after > before else Movement.CONTRACTION
