"""What a payment provider tells of a dispute: the whole of it as its books have it now.

An event only names a dispute; what is true of it is read from the books, so that events may come in
any order, twice, or not at all.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.money import Money
from bursar.domain.times import Instant


class DisputeStatus(StrEnum):
    """Where a dispute is. The `warning` ones are inquiries, which move no money."""

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


CLOSED: Final = frozenset({DisputeStatus.WARNING_CLOSED, DisputeStatus.WON, DisputeStatus.LOST})
HOLDING: Final = frozenset(
    {DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST}
)
"""The bank has the money, for now or for good."""


class DisputeMove(Struct, frozen=True):
    """Money the bank took (negative) or gave again, and the fee the provider took for it."""

    reference: str
    amount: Money
    fee: Money


class DisputeReport(Struct, frozen=True):
    """One dispute. `moves` only ever grows; what was booked of it is counted."""

    reference: str
    payment_reference: str
    status: DisputeStatus
    amount: Money
    reason: str
    evidence_due_at: Instant | None
    moves: tuple[DisputeMove, ...]


class DisputeNamed(Struct, frozen=True):
    """Something happened to this dispute; its books say what."""

    reference: str
