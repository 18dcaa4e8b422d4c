"""Reports: figures over a span of civil days, in pieces of a day or a month.

A span is half-open like every period. Sums come from the figures alone; what is derived of them
(a share, a balance at the end of a piece) is worked out here, without a fraction of a cent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from bursar.domain.analytics import Measure
from bursar.domain.currencies import Currency
from bursar.domain.money import half_even
from bursar.domain.refusals import InvalidInput
from bursar.domain.times import Day

DAYS_MAX: Final = 400
MONTHS_MAX: Final = 120
_YEARS: Final = range(1970, 2200)
_DAYS: Final = 30
_MONTHS: Final = 12
_DAY: Final = timedelta(days=1)
_HUNDREDTHS: Final = 10_000  # of a percent, in a whole


class Interval(StrEnum):
    """How long a piece of a report is."""

    DAY = "day"
    MONTH = "month"


MRR_MEASURES: Final = (
    Measure.MRR_NEW,
    Measure.MRR_EXPANSION,
    Measure.MRR_CONTRACTION,
    Measure.MRR_CHURN,
    Measure.MRR_REACTIVATION,
)


class Sums(Struct, frozen=True):
    """How much, and how often."""

    minor: int = 0
    count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.minor + other.minor, self.count + other.count)


Figures = Mapping[Measure, Sums]
_NOTHING: Final = Sums()


class Days(Struct, frozen=True):
    """Civil days `[start, end)`, or none at all."""

    start: Day
    end: Day


class Span(Struct, frozen=True):
    """Civil days `[start, end)` in pieces; the first and last month may be a part of one."""

    start: Day
    end: Day
    interval: Interval

    def pieces(self) -> tuple[Day, ...]:
        """The first day of each piece."""
        found, day = [], self.start
        while day < self.end:
            found.append(day)
            day = self._next(day)
        return tuple(found)

    @property
    def opening(self) -> Day:
        """The first day of the month it begins in; all before it are whole months."""
        return self.start.replace(day=1)

    def whole_months(self) -> Days:
        """The days of those pieces that are whole months; none where a piece is a day."""
        first = self.start if self.start == self.opening else _month_after(self.start)
        last = self.end.replace(day=1)
        if self.interval is Interval.DAY or first > last:
            return Days(self.opening, self.opening)
        return Days(first, last)

    def _next(self, day: Day) -> Day:
        return day + _DAY if self.interval is Interval.DAY else _month_after(day)


class Asked(Struct, frozen=True):
    """What somebody wants to see; what they do not say is decided by the organization's today."""

    start: Day | None = None
    end: Day | None = None
    interval: Interval = Interval.DAY
    currency: Currency | None = None

    def span(self, today: Day) -> Span:
        """The days it is about: the last thirty, or twelve months, up to and with today.

        Raises:
            InvalidInput: nothing at all, or too much at once.
        """
        end = self.end or today + _DAY
        start = self.start or self._default_start(end)
        if not {start.year, end.year} <= set(_YEARS):
            raise InvalidInput.at("from", "lies too far from now", "too_far")
        if start >= end:
            raise InvalidInput.at(
                "to", "must be after `from`; it is not in the span", "wrong_order"
            )
        months = 12 * (end.year - start.year) + end.month - start.month
        is_long = (end - start).days > DAYS_MAX
        if months > MONTHS_MAX or (self.interval is Interval.DAY and is_long):
            says = f"a report has {DAYS_MAX} days or {MONTHS_MAX} months at most"
            raise InvalidInput.at("from", says, "too_far")
        return Span(start, end, self.interval)

    def _default_start(self, end: Day) -> Day:
        if end.year not in _YEARS:
            return end
        if self.interval is Interval.DAY:
            return end - _DAYS * _DAY
        return _months_before(end - _DAY, _MONTHS - 1)


class Piece(Struct, frozen=True):
    """One day or month of a report."""

    start: Day
    figures: Figures = field(default_factory=dict)

    def __getitem__(self, measure: Measure) -> Sums:
        return self.figures.get(measure, _NOTHING)


class Ageing(Struct, frozen=True):
    """What is open now, by how many days it is overdue: so much, on so many documents."""

    current: Sums = _NOTHING
    days_1_to_30: Sums = _NOTHING
    days_31_to_60: Sums = _NOTHING
    days_61_to_90: Sums = _NOTHING
    days_over_90: Sums = _NOTHING

    @property
    def total(self) -> Sums:
        """All of it."""
        parts = (self.current, self.days_1_to_30, self.days_31_to_60, self.days_61_to_90)
        return summed((*parts, self.days_over_90))


class Report(Struct, frozen=True):
    """Figures in pieces; `before` is everything before the span, for what is carried forward."""

    span: Span
    currency: Currency
    timezone: str
    before: Piece
    pieces: tuple[Piece, ...]
    ageing: Ageing = field(default_factory=Ageing)

    def total(self, measure: Measure) -> Sums:
        """The sum over the span."""
        return summed(piece[measure] for piece in self.pieces)


def report_of(
    span: Span,
    currency: Currency,
    timezone: str,
    rows: Iterable[tuple[Day | None, Measure, Sums]],
) -> Report:
    """A report with every piece there is, also those in which nothing happened.

    A row without a day is of the time before the span.
    """
    starts = span.pieces()
    by_start: dict[Day | None, dict[Measure, Sums]] = {None: {}, **{day: {} for day in starts}}
    for day, measure, sums in rows:
        piece = by_start[None if day is None else max(day, span.start)]
        piece[measure] = piece.get(measure, _NOTHING) + sums
    pieces = tuple(Piece(day, by_start[day]) for day in starts)
    return Report(span, currency, timezone, Piece(span.start, by_start[None]), pieces)


def mrr_of(piece: Piece) -> int:
    """By how much a piece moves the recurring revenue, in minor units."""
    return sum(piece[measure].minor for measure in MRR_MEASURES)


def subscribers_of(piece: Piece) -> int:
    """By how many customers a piece changes the number of those who pay regularly."""
    return piece[Measure.SUBSCRIBERS_GAINED].count - piece[Measure.SUBSCRIBERS_LOST].count


def running(opening: int, steps: Sequence[int]) -> list[int]:
    """What is there at the end of each piece."""
    found, now = [], opening
    for step in steps:
        now += step
        found.append(now)
    return found


def percent(part: int, *, of: int) -> str | None:
    """A share in percent with two decimals, rounded half to even; none of nothing."""
    if of <= 0:
        return None
    hundredths = half_even(part * _HUNDREDTHS, denominator=of)
    sign, (whole, rest) = "-" if hundredths < 0 else "", divmod(abs(hundredths), 100)
    return f"{sign}{whole}.{rest:02d}"


def summed(sums: Iterable[Sums]) -> Sums:
    """All together."""
    return sum(sums, _NOTHING)


def _month_after(day: Day) -> Day:
    year, month = divmod(12 * day.year + day.month, 12)
    return Day(year, month + 1, 1)


def _months_before(day: Day, months: int) -> Day:
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return Day(year, month + 1, 1)
