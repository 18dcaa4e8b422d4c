"""Number series: whose numbers follow each other, and what they begin with.

A series is a prefix, the place of its customer where each has one of their own, `CN` for credit
notes, and the civil year unless the organization counts through. Its numbers run from one without a
gap. Refuses to hand out a number: that takes the row of the series.
"""

from enum import StrEnum

from msgspec import Struct

from bursar.domain.calendars import year_in
from bursar.domain.times import Instant


class NumberScope(StrEnum):
    """Whose documents share a series."""

    ORGANIZATION = "organization"
    CUSTOMER = "customer"


class Numbered(StrEnum):
    """What is numbered; each kind has series of its own."""

    INVOICE = ""
    CREDIT_NOTE = "CN"


class Numbering(Struct, frozen=True):
    """How an organization numbers its documents."""

    prefix: str
    scope: NumberScope
    is_yearly: bool
    timezone: str

    def series(self, kind: Numbered, at: Instant, *, place: int | None = None) -> str:
        """`INV-2026`, `INV-CN-2026`; of the customer at a place of their own `INV-C0042-2026`."""
        assert (place is None) == (self.scope is NumberScope.ORGANIZATION)
        customer = "" if place is None else f"C{place:04d}"
        year = str(year_in(at, self.timezone)) if self.is_yearly else ""
        return "-".join(each for each in (self.prefix, customer, kind.value, year) if each)
