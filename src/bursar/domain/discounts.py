"""Coupons, and what they take off: never more than there is, and shared to the minor unit.

A percentage is taken of the subtotal and rounded once; an amount is taken as it is. Either is
shared over the lines by largest remainder, so that lines less their discounts add up to the total.
A line that gives money back is never discounted. Coupons apply one after another, each to what the
ones before have left.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.calendars import months_after
from bursar.domain.change import Change
from bursar.domain.events import CouponArchived, CouponCreated
from bursar.domain.frozen import replace
from bursar.domain.ids import CouponId
from bursar.domain.money import Money, Rate, total
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.times import Instant, Period

MONTHS_MAX: Final = 120
DISCOUNTS_MAX: Final = 20


class CouponDuration(StrEnum):
    """For how long a coupon takes something off."""

    ONCE = "once"  # the first period
    REPEATING = "repeating"  # every period that begins within so many months
    FOREVER = "forever"


class CouponStatus(StrEnum):
    """Whether it can still be given to anybody; who has it keeps it."""

    ACTIVE = "active"
    ARCHIVED = "archived"


TRANSITIONS: Final[dict[CouponStatus, tuple[CouponStatus, ...]]] = {
    CouponStatus.ACTIVE: (CouponStatus.ARCHIVED,),
    CouponStatus.ARCHIVED: (),
}


class Reduction(Struct, frozen=True):
    """A percentage or an amount off a line or a document: by a coupon, or as it was agreed."""

    name: str
    percent_off: Rate | None = None
    amount_off: Money | None = None
    coupon_id: CouponId | None = None

    def __post_init__(self) -> None:
        assert (self.percent_off is None) != (self.amount_off is None), "one of the two"

    def of(self, amounts: Sequence[Money]) -> tuple[Money, ...]:
        """What it takes off each line: never more than there is, nothing off what is given back."""
        assert amounts, "there is something to take off from"
        currency = amounts[0].currency
        positive = [max(amount.minor, 0) for amount in amounts]
        most = min(max(total(amounts, currency).minor, 0), sum(positive))
        whole = Money(min(self._wanted(Money(most, currency)).minor, most), currency)
        return whole.allocate(positive)

    def _wanted(self, subtotal: Money) -> Money:
        if self.percent_off is not None:
            return subtotal.share(self.percent_off)
        assert self.amount_off is not None
        assert self.amount_off.currency == subtotal.currency, "an amount is of one currency"
        return self.amount_off


class Discount(Struct, frozen=True):
    """What a reduction took off a document, all lines together."""

    reduction: Reduction
    amount: Money


class Coupon(Struct, frozen=True):
    """A promise to take off a percentage, or an amount; never both."""

    id: CouponId
    name: str
    percent_off: Rate | None
    amount_off: Money | None
    duration: CouponDuration
    months: int | None
    status: CouponStatus
    metadata: dict[str, str]
    archived_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def to(self, status: CouponStatus) -> "Coupon":
        """The same coupon in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Coupon {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def archive(self, at: Instant) -> Change:
        """Nobody gets it any more; who has it keeps it.

        Raises:
            IllegalTransition: archived already.
        """
        after = replace(self.to(CouponStatus.ARCHIVED), archived_at=at)
        return Change(rows=(after,), events=(CouponArchived(after, self),))

    def covers(self, period: Period, *, first: Period, timezone: str) -> bool:
        """Whether it takes something off a period; `first` is the one it was given in."""
        match self.duration:
            case CouponDuration.FOREVER:
                return True
            case CouponDuration.ONCE:
                return period.start <= first.start
            case CouponDuration.REPEATING:
                assert self.months is not None
                return period.start < months_after(first.start, self.months, timezone)

    @property
    def reduction(self) -> Reduction:
        """What it takes off a document, as the document keeps it."""
        return Reduction(self.name, self.percent_off, self.amount_off, self.id)

    def of(self, amounts: Sequence[Money]) -> tuple[Money, ...]:
        """What it takes off each line."""
        return self.reduction.of(amounts)


def discounts(takers: Sequence[Coupon | Reduction], amounts: Sequence[Money]) -> tuple[Money, ...]:
    """What all of them take off each line, one after another."""
    left = list(amounts)
    for taker in takers:
        left = [each - off for each, off in zip(left, taker.of(left), strict=True)]
    return tuple(amount - rest for amount, rest in zip(amounts, left, strict=True))


def offer(coupon: Coupon) -> Change:
    """A new coupon.

    Raises:
        InvalidInput: it takes off nothing, or two things, or does not say for how long.
    """
    if (coupon.percent_off is None) == (coupon.amount_off is None):
        says = "give either percentOff or amountOffCents"
        raise InvalidInput.at("percentOff", says, "required")
    if (coupon.months is not None) != (coupon.duration is CouponDuration.REPEATING):
        says = "is needed by a repeating coupon, and by no other"
        raise InvalidInput.at("months", says, "duration")
    return Change(rows=(coupon,), events=(CouponCreated(coupon),))
