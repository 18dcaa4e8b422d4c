"""What a processor's books say of its payouts to our bank, and what one organization has of each.

An account at a processor may serve several organizations: a payout is then of all of them, and each
has the share that its own movements make.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.money import Money, total
from bursar.domain.reconciliation import MoveKind, ProviderMove
from bursar.domain.times import Instant


class PayoutStatus(StrEnum):
    """How far a payout is."""

    PENDING = "pending"
    IN_TRANSIT = "in_transit"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


CAME_BACK: Final = (PayoutStatus.FAILED, PayoutStatus.CANCELED)
"""The money is with the processor again."""


class PayoutReport(Struct, frozen=True):
    """One payout in the processor's books; the amount is the whole account's."""

    reference: str
    status: PayoutStatus
    amount: Money
    created_at: Instant
    arrives_at: Instant
    failure_code: str | None = None


class Share(Struct, frozen=True):
    """What one organization has of a payout: what reached the bank, and what the processor kept."""

    amount: Money
    fee: Money
    move_count: int


def share_of(report: PayoutReport, moves: Sequence[ProviderMove]) -> Share:
    """The sum of an organization's movements in a payout.

    What a dispute cost was booked when its money was taken, so it is no fee of the payout's.
    """
    code = report.amount.currency
    own = [move for move in moves if move.amount.currency == code and _is_paid_out(move)]
    return Share(
        amount=total((move.amount - move.fee for move in own), code),
        fee=total((move.fee for move in own if move.kind is not MoveKind.DISPUTE), code),
        move_count=len(own),
    )


def _is_paid_out(move: ProviderMove) -> bool:
    """The payout's own movement is in its list too."""
    return move.kind is not MoveKind.PAYOUT
