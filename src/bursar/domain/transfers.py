"""Transfers: stored value that moves from one wallet to another, in steps that each balance.

A transfer is INITIATED and DEBITED at once: the amount leaves the sender for `transit`. Then it is
credited to the receiver and COMPLETED, or, when the credit is refused, REFUNDING and FAILED: the
amount goes back. Both halves share one commit when the receiver is ours and open; otherwise the
debit is committed first, and whoever comes next (the request, or the agenda) settles the rest. At
every instant the amount is in exactly one place. A sandbox can ask for credits that fail.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from bursar.domain import chart
from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import (
    Event,
    TransactionCompleted,
    TransactionCredited,
    TransactionDebited,
    TransactionFailed,
    TransactionInitiated,
    TransactionRefunding,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import TransferId, WalletId
from bursar.domain.money import AMOUNT_MAX, Money
from bursar.domain.refusals import (
    AmountTooLarge,
    IllegalTransition,
    InsufficientFunds,
    InvalidInput,
    TransferAboveLimit,
    WalletClosed,
)
from bursar.domain.times import Instant
from bursar.domain.wallets import Provocation, require_currency

CREDIT_ATTEMPTS_MAX: Final = 3
WATCH_EVERY: Final = timedelta(seconds=5)
"""How soon the agenda looks after a transfer whose debit stands alone."""

TRANSIT_SECONDS_MAX: Final = 60
"""Nothing stays in transit longer than this without being told of."""

PROVOKE: Final = "provoke"
"""The metadata key with which a sandbox asks for a fault; in a live organization a plain word."""


_WORDS: Final = tuple(each.value for each in Provocation)


class TransferStatus(StrEnum):
    """Where a transfer is, in upper case as every client of such transfers knows them."""

    INITIATED = "INITIATED"
    DEBITED = "DEBITED"
    CREDITED = "CREDITED"
    COMPLETED = "COMPLETED"
    REFUNDING = "REFUNDING"
    FAILED = "FAILED"


TRANSITIONS: Final[dict[TransferStatus, tuple[TransferStatus, ...]]] = {
    TransferStatus.INITIATED: (TransferStatus.DEBITED,),
    TransferStatus.DEBITED: (TransferStatus.CREDITED, TransferStatus.REFUNDING),
    TransferStatus.CREDITED: (TransferStatus.COMPLETED,),
    TransferStatus.COMPLETED: (),
    TransferStatus.REFUNDING: (TransferStatus.FAILED,),
    TransferStatus.FAILED: (),
}

FACTS: Final[dict[TransferStatus, type[Event]]] = {
    TransferStatus.INITIATED: TransactionInitiated,
    TransferStatus.DEBITED: TransactionDebited,
    TransferStatus.CREDITED: TransactionCredited,
    TransferStatus.COMPLETED: TransactionCompleted,
    TransferStatus.REFUNDING: TransactionRefunding,
    TransferStatus.FAILED: TransactionFailed,
}
"""What is told when a transfer arrives at a status."""


def _straight() -> tuple[TransferStatus, ...]:
    """The statuses of a transfer that nothing stands in the way of."""
    passed = [TransferStatus.INITIATED]
    while TRANSITIONS[passed[-1]]:
        passed.append(TRANSITIONS[passed[-1]][0])
    return tuple(passed)


STRAIGHT: Final = _straight()


class CreditFailure(StrEnum):
    """Why a credit was given up and the sender has the amount back."""

    CREDIT_REFUSED = "credit_refused"
    CREDIT_TIMED_OUT = "credit_timed_out"
    WALLET_CLOSED = "wallet_closed"
    WALLET_FULL = "wallet_full"


class Step(Struct, frozen=True):
    """A status and when the transfer arrived at it."""

    status: TransferStatus
    at: Instant


class Transfer(Struct, frozen=True, kw_only=True):
    """One transfer. Every step is a version and tells one event, so the three count alike."""

    id: TransferId
    from_wallet_id: WalletId
    to_wallet_id: WalletId
    amount: Money
    description: str | None
    metadata: dict[str, str]
    provoked: Provocation
    history: tuple[Step, ...]
    caller_key: str | None = None
    credit_attempts: int = 0
    failure: CreditFailure | None = None

    @property
    def status(self) -> TransferStatus:
        return self.history[-1].status

    @property
    def version(self) -> int:
        return len(self.history)

    @property
    def sequence(self) -> int:
        return len(self.history)

    @property
    def created_at(self) -> Instant:
        return self.history[0].at

    @property
    def updated_at(self) -> Instant:
        return self.history[-1].at

    @property
    def lasted(self) -> timedelta:
        """From its beginning to its latest step."""
        return self.updated_at - self.created_at

    @property
    def is_open(self) -> bool:
        """The amount has left the sender and arrived nowhere yet."""
        return bool(TRANSITIONS[self.status])

    def to(self, status: TransferStatus, at: Instant) -> "Transfer":
        """The only way to another status.

        Raises:
            IllegalTransition: the table does not have it.
        """
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(
                f"Transaction {self.id} is {self.status}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in TRANSITIONS[self.status]],
                },
            )
        return replace(self, history=(*self.history, Step(status, at)))

    def is_same(self, order: "Order") -> bool:
        """Whether this is what the order asks for."""
        return (
            self.from_wallet_id == order.from_wallet_id
            and self.to_wallet_id == order.to_wallet_id
            and self.amount.minor == order.amount_minor
            and order.currency in {None, self.amount.currency}
            and self.description == order.description
            and self.metadata == order.metadata
        )


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer as it is asked for; without a currency it is the sender's."""

    transfer_id: TransferId
    from_wallet_id: WalletId
    to_wallet_id: WalletId
    amount_minor: int
    currency: Currency | None = None
    description: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    key: str | None = None


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """What a transfer must know of a wallet, read under the lock of its account."""

    wallet_id: WalletId
    currency: Currency
    balance_minor: int
    held_minor: int
    is_open: bool
    provoked: Provocation = Provocation.NONE
    transfer_limit_minor: int | None = None
    daily_limit_minor: int | None = None
    sent_today_minor: int = 0


class Till:
    """Decides transfers one after another, each over the balances that those before it leave.

    One that is refused leaves nothing behind, so it never fails its neighbors.
    """

    def __init__(
        self,
        purses: Mapping[WalletId, Purse],
        *,
        at: Instant,
        wall: Instant,
        is_sandbox: bool,
    ) -> None:
        self._purses = purses
        self._balances = {each.wallet_id: each.balance_minor for each in purses.values()}
        self._sent_today = {each.wallet_id: each.sent_today_minor for each in purses.values()}
        self._at = at
        self._wall = wall
        self._is_sandbox = is_sandbox
        # Those decided together arrived together: they share the instants of their steps.
        self._completed = tuple(Step(status, at) for status in STRAIGHT)
        self._debited = self._completed[: STRAIGHT.index(TransferStatus.DEBITED) + 1]

    def take(self, order: Order) -> Change:
        """Take a transfer, with everything that it causes.

        Raises:
            Refusal: the transfer may not be; nothing was taken.
        """
        return self.minutes(self.accept(order))

    def accept(self, order: Order) -> Transfer:
        """Debit the sender; credit the receiver too, when nothing stands in the way.

        Raises:
            Refusal: the transfer may not be; nothing was taken.
        """
        sender, receiver = self._admitted(order)
        minor = order.amount_minor
        _require_within_limits(order, sender, self._sent_today[sender.wallet_id])
        if minor > self._balances[sender.wallet_id] - sender.held_minor:
            raise InsufficientFunds(f"Wallet {sender.wallet_id} has too little available.")
        provoked = self._provoked(order, receiver)
        is_straight = provoked is Provocation.NONE
        self._balances[sender.wallet_id] -= minor
        self._sent_today[sender.wallet_id] += minor
        if is_straight:
            self._balances[receiver.wallet_id] += minor
        return Transfer(
            id=order.transfer_id,
            from_wallet_id=order.from_wallet_id,
            to_wallet_id=order.to_wallet_id,
            amount=Money(minor, sender.currency),
            description=order.description,
            metadata=order.metadata,
            provoked=provoked,
            history=self._completed if is_straight else self._debited,
            caller_key=order.key,
        )

    def minutes(self, accepted: Transfer) -> Change:
        """Everything that a transfer causes which was just accepted."""
        initiated = replace(accepted, history=accepted.history[:1])
        debited = initiated.to(TransferStatus.DEBITED, self._at)
        postings = (
            chart.transfer_debited(debited.id, debited.from_wallet_id, debited.amount, self._at),
        )
        told = (TransactionInitiated(initiated), TransactionDebited(debited, initiated))
        if accepted.is_open:
            return Change(
                rows=(debited,),
                postings=postings,
                events=told,
                agenda=(Due(DueKind.RESUME_TRANSFER, debited.id, self._wall + WATCH_EVERY),),
            )
        credited = self._credited(debited)
        return replace(
            credited,
            postings=postings + credited.postings,
            events=told + credited.events,
            agenda=(),
        )

    def settle(self, transfer: Transfer) -> Change | None:
        """Credit what was debited, or give it back; None when nothing is left to do.

        A credit that nobody answers changes no row: the agenda has it tried again, at most three
        times.
        """
        if not transfer.is_open:
            return None
        assert transfer.status is TransferStatus.DEBITED, "the other steps share a commit"
        failure = self._failure(transfer)
        if failure is None:
            self._balances[transfer.to_wallet_id] += transfer.amount.minor
            return self._credited(transfer)
        tries = transfer.credit_attempts + 1
        if failure is CreditFailure.CREDIT_TIMED_OUT and tries < CREDIT_ATTEMPTS_MAX:
            again = self._wall + WATCH_EVERY * tries
            return Change(agenda=(Due(DueKind.RESUME_TRANSFER, transfer.id, again),))
        self._balances[transfer.from_wallet_id] += transfer.amount.minor
        return self._refunded(replace(transfer, credit_attempts=tries, failure=failure))

    def _admitted(self, order: Order) -> tuple[Purse, Purse]:
        if order.from_wallet_id == order.to_wallet_id:
            raise InvalidInput.at("toWalletId", "is the wallet it comes from", "self_transfer")
        sender = self._purses[order.from_wallet_id]
        receiver = self._purses[order.to_wallet_id]
        require_currency(order.currency, sender.currency, holder=f"Wallet {sender.wallet_id}")
        require_currency(sender.currency, receiver.currency, holder=f"Wallet {receiver.wallet_id}")
        for purse in (sender, receiver):
            if not purse.is_open:
                raise WalletClosed(f"Wallet {purse.wallet_id} is closed.")
        if self._balances[receiver.wallet_id] + order.amount_minor > AMOUNT_MAX:
            raise AmountTooLarge(f"Wallet {receiver.wallet_id} would hold too much.")
        return sender, receiver

    def _provoked(self, order: Order, receiver: Purse) -> Provocation:
        if not self._is_sandbox:
            return Provocation.NONE
        asked = order.metadata.get(PROVOKE)
        if asked is None:
            return receiver.provoked
        if asked not in _WORDS:
            known = ", ".join(_WORDS)
            raise InvalidInput.at(
                f"metadata.{PROVOKE}", f"expected one of {known}", "unknown_value"
            )
        return Provocation(asked)

    def _failure(self, transfer: Transfer) -> CreditFailure | None:
        receiver = self._purses[transfer.to_wallet_id]
        if transfer.provoked is Provocation.REFUSE:
            return CreditFailure.CREDIT_REFUSED
        if transfer.provoked is Provocation.TIME_OUT:
            return CreditFailure.CREDIT_TIMED_OUT
        if not receiver.is_open:
            return CreditFailure.WALLET_CLOSED
        if self._balances[receiver.wallet_id] + transfer.amount.minor > AMOUNT_MAX:
            return CreditFailure.WALLET_FULL
        return None

    def _credited(self, debited: Transfer) -> Change:
        credited = debited.to(TransferStatus.CREDITED, self._at)
        completed = credited.to(TransferStatus.COMPLETED, self._at)
        posting = chart.transfer_credited(
            debited.id, debited.to_wallet_id, debited.amount, self._at
        )
        return Change(
            rows=(completed,),
            postings=(posting,),
            events=(
                TransactionCredited(credited, debited),
                TransactionCompleted(completed, credited),
            ),
            agenda=(Undue(DueKind.RESUME_TRANSFER, debited.id),),
        )

    def _refunded(self, debited: Transfer) -> Change:
        refunding = debited.to(TransferStatus.REFUNDING, self._at)
        failed = refunding.to(TransferStatus.FAILED, self._at)
        posting = chart.transfer_refunded(
            debited.id, debited.from_wallet_id, debited.amount, self._at
        )
        return Change(
            rows=(failed,),
            postings=(posting,),
            events=(
                TransactionRefunding(refunding, debited),
                TransactionFailed(failed, refunding),
            ),
            agenda=(Undue(DueKind.RESUME_TRANSFER, debited.id),),
        )


def _require_within_limits(order: Order, sender: Purse, sent_today_minor: int) -> None:
    once, daily = sender.transfer_limit_minor, sender.daily_limit_minor
    if once is not None and order.amount_minor > once:
        raise TransferAboveLimit(
            "The amount is above the limit for one transfer.",
            facts={"limit": "per_transfer", "limitCents": once},
        )
    if daily is not None and sent_today_minor + order.amount_minor > daily:
        raise TransferAboveLimit(
            "The amount is above what the wallet may still send today.",
            facts={"limit": "per_day", "limitCents": daily},
        )
