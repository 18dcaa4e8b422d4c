"""Holds: a part of a wallet's money set aside, until it is taken, freed, or its time is over.

A hold books nothing: it lowers what is available, and capture posts. It is captured once, all of it
or a part, and what is left over is free again. Its time runs on the wall clock.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.events import HoldCaptured, HoldCreated, HoldExpired, HoldReleased
from bursar.domain.frozen import replace
from bursar.domain.ids import HoldId, WalletId
from bursar.domain.ledger import Account
from bursar.domain.money import Money
from bursar.domain.refusals import HoldOverdue, IllegalTransition, InvalidInput
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet

HELD_FOR: Final = timedelta(days=7)
HELD_FOR_MAX: Final = timedelta(days=365)


class HoldStatus(StrEnum):
    """Where a hold is; only an open one sets anything aside."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"
    EXPIRED = "expired"


TRANSITIONS: Final[dict[HoldStatus, tuple[HoldStatus, ...]]] = {
    HoldStatus.OPEN: (HoldStatus.CAPTURED, HoldStatus.RELEASED, HoldStatus.EXPIRED),
    HoldStatus.CAPTURED: (),
    HoldStatus.RELEASED: (),
    HoldStatus.EXPIRED: (),
}


class Hold(Struct, frozen=True):
    """One hold. `captured` is what was really taken of `amount`."""

    id: HoldId
    wallet_id: WalletId
    status: HoldStatus
    amount: Money
    captured: Money
    description: str | None
    metadata: dict[str, str]
    expires_at: Instant
    settled_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def is_open(self) -> bool:
        """Whether it still sets money aside."""
        return self.status is HoldStatus.OPEN

    def to(self, status: HoldStatus) -> "Hold":
        """The same hold in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Hold {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def require_in_time(self, wall: Instant) -> None:
        """Refuse to take what was promised for a time that is over.

        Raises:
            HoldOverdue: it is, whether or not somebody has noticed yet.
        """
        if self.is_open and wall >= self.expires_at:
            raise HoldOverdue(f"The time of hold {self.id} is over.")

    def capture(self, wallet: Wallet, amount: Money, at: Instant, *, goal: Account) -> Change:
        """Take the amount for good; the rest is free again.

        Raises:
            IllegalTransition: it is not open any more.
            InvalidInput: more than it holds.
        """
        assert wallet.id == self.wallet_id
        assert amount.is_positive
        after = replace(self.to(HoldStatus.CAPTURED), captured=amount, settled_at=at)
        if amount > self.amount:
            message = f"the hold is of {self.amount.minor}"
            raise InvalidInput.at("amountCents", message, "more_than_held")
        return Change(
            rows=(after,),
            postings=(chart.hold_captured(self.id, wallet.id, goal, amount, at),),
            events=(HoldCaptured(after, self),),
            agenda=(Undue(DueKind.EXPIRE_HOLD, self.id),),
        )

    def release(self, at: Instant) -> Change:
        """Free it by hand.

        Raises:
            IllegalTransition: it is not open any more.
        """
        after = replace(self.to(HoldStatus.RELEASED), settled_at=at)
        undue = Undue(DueKind.EXPIRE_HOLD, self.id)
        return Change(rows=(after,), events=(HoldReleased(after, self),), agenda=(undue,))

    def expire(self, at: Instant, *, wall: Instant) -> Change | None:
        """Its time is over; nothing, if it ended otherwise or the time was not there yet."""
        if not self.is_open or wall < self.expires_at:
            return None
        after = replace(self.to(HoldStatus.EXPIRED), settled_at=at)
        undue = Undue(DueKind.EXPIRE_HOLD, self.id)
        return Change(rows=(after,), events=(HoldExpired(after, self),), agenda=(undue,))


def authorize(hold: Hold, wallet: Wallet, *, wall: Instant) -> Change:
    """Set a part of what is available aside.

    Raises:
        WalletClosed, InsufficientFunds: the wallet has not got it.
        InvalidInput: its time is over before it begins, or lies too far off.
    """
    assert hold.is_open
    wallet.require_open()
    wallet.require_available(hold.amount)
    if not wall < hold.expires_at <= wall + HELD_FOR_MAX:
        message = f"must be in the future, at most {HELD_FOR_MAX.days} days away"
        raise InvalidInput.at("expiresAt", message, "too_far")
    due = Due(DueKind.EXPIRE_HOLD, hold.id, hold.expires_at)
    return Change(rows=(hold,), events=(HoldCreated(hold),), agenda=(due,))
