"""What it means that the books, the documents and the log agree: checks, and how two of them work.

A check counts what it looked at, so that one that looked at nothing cannot pass for proof, and
names what is wrong by id. The SQL of the others stands beside `reads/verify.py`.
"""

from collections.abc import Sequence
from hmac import compare_digest
from typing import Final
from uuid import UUID

from msgspec import Struct

from bursar.domain.event_chain import FIRST, SealedEvent
from bursar.domain.ids import PaymentId, print_id
from bursar.domain.money import Money
from bursar.domain.provider import BookedCharge

OFFENDERS_MAX: Final = 100


class Check(Struct, frozen=True):
    """One thing that must hold: how many it was tried on, and by which ids it fails."""

    name: str
    counted: int
    offenders: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Nothing was found."""
        return not self.offenders


class Collected(Struct, frozen=True):
    """Money that our books say a provider took for a payment, and gave back of it."""

    payment_id: PaymentId
    provider: str
    reference: str | None
    amount: Money
    refunded: Money


class KeptLink(Struct, frozen=True):
    """A link of the chain as it is kept, beside the event it covers; None when that is gone.

    An archived event is in a file, to be checked there; its link still carries the chain on.
    """

    position: int
    event_id: UUID
    hash: bytes
    event: SealedEvent | None
    personal: bytes | None = None
    is_archived: bool = False


class ChainWalk:
    """Follows a kept chain, from its first link or a later one, and names what breaks it."""

    def __init__(self, org_id: UUID, position: int = 0, last: bytes = FIRST) -> None:
        self._org_id = org_id
        self._hash = last
        self.position = position
        self.offenders: list[str] = []

    def follow(self, link: KeptLink) -> None:
        """The next link, in order of position."""
        fault = self._fault(link)
        if fault is not None and len(self.offenders) < OFFENDERS_MAX:
            self.offenders.append(f"{fault} {print_id('evt', link.event_id)}")
        # Going on from what is kept names the first bad event and accuses no innocent one.
        self._hash, self.position = link.hash, link.position

    def check(self, name: str, *, uncovered: Sequence[str]) -> Check:
        """The verdict; `uncovered` are events that the chain passed over."""
        found = [*self.offenders, *(f"inserted {event_id}" for event_id in uncovered)]
        return Check(name, self.position, tuple(found[:OFFENDERS_MAX]))

    def _fault(self, link: KeptLink) -> str | None:
        if link.position != self.position + 1:
            return "gap before"
        if link.event is None:
            return None if link.is_archived else "deleted"
        if not compare_digest(link.event.digest(self._org_id, self._hash), link.hash):
            return "edited"
        return None


class Stretch(Struct, frozen=True):
    """What became of a part of the chain: from after a position up to the last one looked at."""

    after_position: int
    last_position: int
    last_hash: bytes
    head_position: int
    offenders: tuple[str, ...]


def compared(collected: Sequence[Collected], charges: Sequence[BookedCharge], name: str) -> Check:
    """Our books beside the provider's own: the same payments, the same amounts, none missing."""
    ours = {one.payment_id: (one.amount, one.refunded) for one in collected}
    theirs: dict[PaymentId | None, tuple[Money, Money]] = {}
    offenders: list[str] = []
    for charge in charges:
        if charge.payment_id is None or charge.payment_id in theirs:
            offenders.append(f"{charge.reference} is charged twice or for nobody")
        theirs[charge.payment_id] = (charge.amount, charge.refunded)
    offenders.extend(
        f"{payment_id} is not the same in both books"
        for payment_id in sorted({*ours, *filter(None, theirs)})
        if ours.get(payment_id) != theirs.get(payment_id)
    )
    return Check(name, len(ours.keys() | theirs.keys()), tuple(offenders[:OFFENDERS_MAX]))
