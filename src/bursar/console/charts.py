"""Charts: a table of figures by month or day, and the bars that say the same at a glance.

The table is what is true; a script of ours draws it where scripts run, and where none does a few
bars stand in its place. Heights are whole numbers of the picture's own units.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from bursar.console.cells import Eyes
from bursar.domain.currencies import EXPONENTS, Currency

_HEIGHT: Final = 100
_STEP: Final = 10


class Line(Struct, frozen=True, kw_only=True):
    """One figure of a report's pieces: what it is called and which field it is."""

    label: str
    field: str
    tone: str = ""  # the color of its meaning, where it has one


class Drawing(Struct, frozen=True, kw_only=True):
    """A chart of a report: which of its figures, and in which form."""

    title: str
    route: str
    lines: tuple[Line, ...]
    form: str = "bar"  # or "line", or "stack": one upon another
    is_money: bool = True


class Point(Struct, frozen=True, kw_only=True):
    """One figure, written, and as the script draws it."""

    text: str
    value: int


class Bar(Struct, frozen=True, kw_only=True):
    """One bar, in the picture's own units."""

    label: str
    text: str
    x: int
    y: int
    height: int
    is_negative: bool


class Chart(Struct, frozen=True, kw_only=True):
    """A drawing of what a report told."""

    drawing: Drawing
    locale: str
    currency: str
    exponent: int
    rows: tuple[tuple[str, tuple[Point, ...]], ...]

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The picture without scripts; where several figures stand together, the table does."""
        if len(self.drawing.lines) > 1:
            return ()
        top = max((abs(points[0].value) for _, points in self.rows), default=0) or 1
        return tuple(
            _bar(label, points[0], at, top) for at, (label, points) in enumerate(self.rows)
        )

    @property
    def width(self) -> int:
        """Of the picture, in its own units."""
        return _STEP * len(self.rows)


def _bar(label: str, point: Point, at: int, top: int) -> Bar:
    height = abs(point.value) * _HEIGHT // top
    return Bar(
        label=label,
        text=point.text,
        x=at * _STEP,
        y=_HEIGHT - height,
        height=height,
        is_negative=point.value < 0,
    )


def chart_of(eyes: Eyes, drawing: Drawing, report: Mapping[str, Any]) -> Chart:
    """The drawing, made of what its report told."""
    currency = report["currency"] if drawing.is_money else ""
    by_month = report["interval"] == "month"
    return Chart(
        drawing=drawing,
        locale=str(eyes.locale).replace("_", "-"),
        currency=currency.upper(),
        exponent=EXPONENTS.get(Currency(currency.lower()), 2) if currency else 0,
        rows=tuple(
            (
                eyes.month(each["start"]) if by_month else eyes.day(each["start"]),
                tuple(_point(eyes, line, each, currency) for line in drawing.lines),
            )
            for each in report["series"]
        ),
    )


def _point(eyes: Eyes, line: Line, piece: Mapping[str, Any], currency: str) -> Point:
    value = piece[line.field]
    return Point(text=eyes.money(value, currency) if currency else eyes.count(value), value=value)


MRR: Final = Drawing(
    title="Monthly recurring revenue",
    route="getMrr",
    lines=(Line(label="MRR", field="mrrCents"),),
    form="line",
)
MOVEMENTS: Final = Drawing(
    title="What moved it",
    route="getMrr",
    lines=(
        Line(label="New", field="newCents", tone="--accent"),
        Line(label="Expansion", field="expansionCents", tone="--good"),
        Line(label="Reactivation", field="reactivationCents", tone="--calm"),
        Line(label="Contraction", field="contractionCents", tone="--busy"),
        Line(label="Churn", field="churnCents", tone="--bad"),
    ),
    form="stack",
)
REVENUE: Final = Drawing(
    title="Net revenue",
    route="getRevenue",
    lines=(Line(label="Net", field="netCents"),),
)
