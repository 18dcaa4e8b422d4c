"""Who plays in the demo organization's history: its plans, its customers, and when each does what.

Months are counted from the first of the history. Everything follows from a customer's number, so
that every installation lives the same year.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from msgspec import Struct

from bursar.domain.drafting import NewLine
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.pricing import BillingInterval

MONTHS: Final = 12
PRESENT: Final = MONTHS + 1  # after the year, in real time
METER: Final = "api_calls"

_NAMES: Final = (
    *("Alder Analytics", "Birch & Sons", "Cedar Clinic", "Dune Design", "Elm Electric"),
    *("Fjord Foods", "Garnet Games", "Harbor Hotels", "Iris Imaging", "Juniper Jobs"),
    *("Kestrel Kites", "Lumen Labs", "Maple Media", "Nimbus Networks", "Onyx Optics"),
    *("Pine Press", "Quartz Quarries", "Reef Rentals", "Sable Studios", "Tundra Tools"),
    *("Umber Urban", "Vesper Video", "Willow Works", "Xenon Xpress", "Yarrow Yachts"),
    *("Zephyr Zinc", "Amber Archive", "Basalt Build", "Cobalt Cloud", "Delta Dental"),
    *("Ember Energy", "Flint Freight", "Granite Grid", "Hazel Health", "Indigo Ink"),
    *("Jasper Joinery", "Krypton Keys", "Lotus Legal", "Mango Mobile", "Nectar News"),
)
_FOUNDING: Final = 16
_JOIN_EACH_MONTH: Final = 2
_WORKING: Final = "pm_card_visa"
# These cards attach, and then every charge is declined.
_FAILING: Final = {
    27: "pm_sandbox_later_insufficient_funds",
    36: "pm_sandbox_later_expired_card",
    39: "pm_sandbox_later_lost_card",
}
FAILING_CARDS: Final = len(_FAILING)


class Offer(Struct, frozen=True):
    """A plan to be: what a period costs, and a thousand calls on top where they are counted."""

    name: str
    amount_minor: Decimal
    interval: BillingInterval = BillingInterval.MONTH
    call_minor: Decimal | None = None


OFFERS: Final = (
    Offer("Starter", Decimal(4900)),
    Offer("Team", Decimal(14900), call_minor=Decimal("0.1")),
    Offer("Scale", Decimal(49900), call_minor=Decimal("0.05")),
    Offer("Team, yearly", Decimal(149000), BillingInterval.YEAR),
)
_CHOSEN: Final = ("Starter", "Team", "Starter", "Scale", "Team", "Starter", "Team, yearly")
_GROWS_TO: Final = {"Starter": "Team", "Team": "Scale"}


class Member(Struct, frozen=True):
    """One customer of the history."""

    number: int

    @property
    def name(self) -> str:
        """What they are called."""
        return _NAMES[self.number]

    @property
    def email(self) -> str:
        """Where they get their letters, by which they are found again."""
        return f"billing@{self.name.split()[0].lower()}.example"

    @property
    def card(self) -> str:
        """What they pay by."""
        return _FAILING.get(self.number, _WORKING)

    @property
    def joins(self) -> int:
        """The month in which they come."""
        return max(0, (self.number - _FOUNDING) // _JOIN_EACH_MONTH + 1)

    @property
    def plan(self) -> str:
        """What they choose."""
        return _CHOSEN[self.number % len(_CHOSEN)]

    @property
    def growth(self) -> tuple[int, str] | None:
        """When they change to a larger plan, and to which."""
        larger = _GROWS_TO.get(self.plan)
        month = self.joins + 2 + self.number % 4
        if larger is None or not self.number % 3 or month >= MONTHS:
            return None
        return month, larger

    @property
    def leaves(self) -> int | None:
        """The month in which they say that they go."""
        month = self.joins + 1 + self.number % 4
        return None if (self.number + 1) % 6 or month >= MONTHS else month

    def calls(self, month: int) -> int:
        """How many calls they made until this month."""
        return 8_000 + (self.number * 7_919 + month * 4_211) % 30_000 + 900 * month


MEMBERS: Final = tuple(Member(number) for number in range(len(_NAMES)))


class Bill(Struct, frozen=True):
    """An invoice made by hand: who it is for, its name here, when it comes, where it should end."""

    member: Member
    place: int
    month: int
    end: InvoiceStatus

    @property
    def name(self) -> str:
        """By which it is found again."""
        return f"{self.member.number}-{self.place}"

    @property
    def is_charged(self) -> bool:
        """Whether the card is charged for it."""
        return self.end is InvoiceStatus.PAID

    @property
    def lines(self) -> tuple[NewLine, ...]:
        """What it bills: something different for each, the same at every run."""
        hours = 2 + self.member.number % 5
        if self.place == 0:
            return (NewLine("Help with the start", hours, Decimal(12000)),)
        return (
            NewLine("Training", 1, Decimal(45000)),
            NewLine("Hours on site", hours, Decimal(9500)),
        )


_LATE: Final = (InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.OPEN, InvoiceStatus.VOID)
_NEW: Final = (
    InvoiceStatus.OPEN,
    InvoiceStatus.DRAFT,
    InvoiceStatus.PAID,
    InvoiceStatus.OPEN,
    InvoiceStatus.VOID,
)


def bills() -> Iterator[Bill]:
    """Every invoice made by hand: help with the start, training that some pay late, the newest."""
    for member in MEMBERS[::2]:
        yield Bill(member, 0, min(member.joins + 1, MONTHS), InvoiceStatus.PAID)
    for at, member in enumerate(MEMBERS[1:24:3]):
        yield Bill(member, 1, MONTHS - at % 3, _LATE[at % len(_LATE)])
    for at, member in enumerate(MEMBERS[::5]):
        yield Bill(member, 2, PRESENT, _NEW[at % len(_NEW)])
