"""Parts of a period: what a fraction of it is worth, so that all parts add up to the whole.

The value of a part is the value accrued up to its end less the value accrued up to its start, each
rounded once, half to even. So the parts of any split of a period add up to the period, to the
minor unit, however many they are. Time is counted exactly, in seconds and their fractions.
"""

from datetime import timedelta
from typing import Final

from bursar.domain.money import Money, half_even
from bursar.domain.times import Instant, Period

_TICK: Final = timedelta(microseconds=1)


def accrued(amount: Money, whole: Period, until: Instant) -> Money:
    """How much of a period's amount belongs to the time from its start up to `until`."""
    assert whole.start <= until <= whole.end, "only time within the period counts"
    passed = (until - whole.start) // _TICK
    length = (whole.end - whole.start) // _TICK
    return Money(half_even(amount.minor * passed, denominator=length), amount.currency)


def prorated(amount: Money, whole: Period, *, part: Period) -> Money:
    """How much of a period's amount belongs to a part of the period."""
    return accrued(amount, whole, part.end) - accrued(amount, whole, part.start)
