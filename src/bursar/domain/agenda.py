"""What can be due, and on which clock.

Everything that must happen at a moment is a row in one narrow table, unique per organization, kind
and subject. Business items follow the organization's test clock; wall items never do.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.times import Instant


class Clock(StrEnum):
    """Which time an item waits for."""

    WALL = "wall"
    BUSINESS = "business"


class DueKind(StrEnum):
    """Every kind of thing that can be due."""

    WATCH_PAYMENT = "watch_payment"
    WATCH_REFUND = "watch_refund"
    WATCH_SETUP = "watch_setup"
    EXPIRE_HOLD = "expire_hold"
    RESUME_TRANSFER = "resume_transfer"
    ISSUE_RECURRING = "issue_recurring"
    BILL_SUBSCRIPTION = "bill_subscription"
    ISSUE_INVOICE = "issue_invoice"
    FOLLOW_INVOICE = "follow_invoice"
    DUNNING = "dunning"


CLOCK_OF: Final[dict[DueKind, Clock]] = {
    DueKind.WATCH_PAYMENT: Clock.WALL,
    DueKind.WATCH_REFUND: Clock.WALL,
    DueKind.WATCH_SETUP: Clock.WALL,
    DueKind.EXPIRE_HOLD: Clock.WALL,
    DueKind.RESUME_TRANSFER: Clock.WALL,
    DueKind.ISSUE_RECURRING: Clock.BUSINESS,
    DueKind.BILL_SUBSCRIPTION: Clock.BUSINESS,
    DueKind.ISSUE_INVOICE: Clock.BUSINESS,
    DueKind.FOLLOW_INVOICE: Clock.BUSINESS,
    DueKind.DUNNING: Clock.BUSINESS,
}


class Due(Struct, frozen=True):
    """Put (or move) an item: `subject_id` is due at `at`."""

    kind: DueKind
    subject_id: str
    at: Instant


class Undue(Struct, frozen=True):
    """Take an item off the agenda."""

    kind: DueKind
    subject_id: str
