"""What every shape has in common: one rename rule, and how an instant and a price are spelled.

A shape is what the world sees of a noun. It is made from the noun by `of`, is never read back, and
holds nothing secret. Python says `amount_cents`, the wire says `amountCents`; nothing else renames.
"""

from decimal import Decimal
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from bursar.domain.times import Instant, wire_instant

WireInstant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339, UTC, milliseconds, `Z`."""

Cents = Annotated[int, Meta(extra_json_schema={"format": "int64"})]
"""An amount in the currency's minor unit: 500 is ¥500, $5.00 or 0.500 dinar."""

WireDecimal = Annotated[str, Meta(extra_json_schema={"format": "decimal"})]
"""An exact number of minor units, with up to 12 places."""


def shown_as(example: object) -> Meta:
    """What the documentation shows of a field whose name does not say it."""
    return Meta(examples=[example])


class Shape(msgspec.Struct, frozen=True, rename="camel"):
    """The root of all shapes."""

    def masked(self) -> Self:
        """The same without what is somebody's own; the log keeps that apart, so that it may go."""
        return self


def instant(at: Instant | None) -> WireInstant | None:
    """An instant that may be missing."""
    return None if at is None else wire_instant(at)


def decimal(value: Decimal) -> WireDecimal:
    """The shortest plain digits: `0.25`, `1999`, never `2E+3`."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def whole(value: Decimal) -> Cents | None:
    """The same number as an integer, or None when it is not one."""
    top, bottom = value.as_integer_ratio()
    return top if bottom == 1 else None
