"""Our books beside the processor's: what it moved, and what a difference means.

The processor's own list of movements is the witness: everything that changed what it holds for us
is in it, once, and it only grows. Each difference is a thing with a kind, a cause and a repair.
What can be mended safely was mended before anybody is shown a difference.
"""

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from bursar.domain.currencies import Currency
from bursar.domain.ids import PaymentId, RefundId
from bursar.domain.money import Money
from bursar.domain.times import Instant

OVERLAP: Final = timedelta(minutes=10)
"""Movements of one moment may appear in any order: each look begins a little before the last."""
SETTLING: Final = timedelta(hours=1)
"""How long what we booked may be missing there before it is a difference."""
PAYOUTS_SINCE: Final = timedelta(days=30)
"""How long a payout may still change: what a bank sends back comes within days."""
SHOWN_MAX: Final = 1_000


class MoveKind(StrEnum):
    """What moved money at the processor."""

    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    OTHER = "other"


class ProviderMove(Struct, frozen=True):
    """One movement in the processor's books, and the marks of ours that its cause carries."""

    reference: str
    kind: MoveKind
    amount: Money
    fee: Money
    source: str
    occurred_at: Instant
    payment_reference: str | None = None
    payment_id: PaymentId | None = None
    refund_id: RefundId | None = None


class DifferenceKind(StrEnum):
    """How two books can differ."""

    PAYMENT_NOT_SETTLED = "payment_not_settled"
    PAYMENT_AMOUNT_DIFFERS = "payment_amount_differs"
    PAYMENT_CHARGED_TWICE = "payment_charged_twice"
    PAYMENT_UNKNOWN_THERE = "payment_unknown_there"
    REFUND_NOT_SETTLED = "refund_not_settled"
    REFUND_UNKNOWN_HERE = "refund_unknown_here"
    REFUND_UNKNOWN_THERE = "refund_unknown_there"
    PAYOUT_UNKNOWN_HERE = "payout_unknown_here"
    PAYOUT_UNKNOWN_THERE = "payout_unknown_there"
    PAYOUT_DIFFERS = "payout_differs"
    DISPUTE_DIFFERS = "dispute_differs"
    CUSTOMER_UNKNOWN_THERE = "customer_unknown_there"


class Meaning(Struct, frozen=True):
    """How a difference comes about, and what mends it."""

    cause: str
    repair: str


MEANINGS: Final = MappingProxyType(
    {
        DifferenceKind.PAYMENT_NOT_SETTLED: Meaning(
            "The processor took the money; its answer and its events were lost.",
            "Settled by the processor's books with the next reconciliation.",
        ),
        DifferenceKind.PAYMENT_AMOUNT_DIFFERS: Meaning(
            "The processor took another amount than was booked.",
            "Look at the charge at the processor; correct the books by a posting.",
        ),
        DifferenceKind.PAYMENT_CHARGED_TWICE: Meaning(
            "The processor has more than one charge that carries this payment's mark.",
            "Give the second charge back at the processor.",
        ),
        DifferenceKind.PAYMENT_UNKNOWN_THERE: Meaning(
            "The payment is booked here, and the processor has no charge for it.",
            "Look for the charge at the processor; a payment by another account belongs there.",
        ),
        DifferenceKind.REFUND_NOT_SETTLED: Meaning(
            "The processor gave the money back; its answer and its events were lost.",
            "An open refund is asked about at once; one that was given up needs a person.",
        ),
        DifferenceKind.REFUND_UNKNOWN_HERE: Meaning(
            "More was given back at the processor itself than is left of the payment here.",
            "What fits is booked by itself; look at the payment's refunds and disputes.",
        ),
        DifferenceKind.REFUND_UNKNOWN_THERE: Meaning(
            "The refund is booked here, and the processor has none for it.",
            "Look for the refund at the processor, and give the money back again if need be.",
        ),
        DifferenceKind.PAYOUT_UNKNOWN_HERE: Meaning(
            "The processor lists movements in a payout that is not booked here.",
            "Booked with the next reconciliation; otherwise by a posting.",
        ),
        DifferenceKind.PAYOUT_UNKNOWN_THERE: Meaning(
            "The payout is booked here, and the processor lists no movement of ours in it.",
            "Look for the payout at the processor; correct the books by a posting.",
        ),
        DifferenceKind.PAYOUT_DIFFERS: Meaning(
            "The movements that the processor lists in a payout make another amount or fee.",
            "Compare the payout's list with ours; correct the books by a posting.",
        ),
        DifferenceKind.DISPUTE_DIFFERS: Meaning(
            "A bank took or gave money that the books do not show; its events were lost.",
            "Followed by the processor's books with the next reconciliation.",
        ),
        DifferenceKind.CUSTOMER_UNKNOWN_THERE: Meaning(
            "The processor could not be told of the customer.",
            "Told again when the customer changes, or when a method is attached.",
        ),
    }
)


class Difference(Struct, frozen=True):
    """One thing in which the books differ. Amounts are what we have and what they have."""

    kind: DifferenceKind
    resource_id: str
    provider: str | None
    reference: str | None
    currency: Currency | None
    ours_minor: int | None
    theirs_minor: int | None
    occurred_at: Instant

    @property
    def meaning(self) -> Meaning:
        """Its cause and its repair."""
        return MEANINGS[self.kind]
