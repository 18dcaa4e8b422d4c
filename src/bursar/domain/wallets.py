"""Wallets: value that somebody has stored with us, in one currency, never below zero.

Owns what may happen to a wallet and what each move books; the balance itself is its strict ledger
account's. `held` lowers what is `available`, and only that may be spent. Refuses other currencies,
closed wallets and sums beyond exact amounts. `version` counts what happened to the wallet itself:
transfers move its balance without it.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain import chart, refusals
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import (
    WalletClosed,
    WalletCreated,
    WalletDeposited,
    WalletReopened,
    WalletUpdated,
    WalletWithdrawn,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import AccountId, CustomerId, LedgerTransactionId, UserId, WalletId
from bursar.domain.ledger import Account
from bursar.domain.money import AmountOutOfRange, Money
from bursar.domain.refusals import (
    AmountTooLarge,
    Detail,
    IllegalTransition,
    InsufficientFunds,
    InvalidInput,
    StillInUse,
    WrongCurrency,
)
from bursar.domain.times import Instant


class WalletStatus(StrEnum):
    """Whether the wallet takes part; a closed one has nothing, holds nothing and takes nothing."""

    OPEN = "open"
    CLOSED = "closed"


TRANSITIONS: Final[dict[WalletStatus, tuple[WalletStatus, ...]]] = {
    WalletStatus.OPEN: (WalletStatus.CLOSED,),
    WalletStatus.CLOSED: (WalletStatus.OPEN,),  # money that came late
}


class Provocation(StrEnum):
    """What becomes of a transfer's credit to this wallet, in sandbox organizations only."""

    NONE = "none"
    REFUSE = "refuse"
    TIME_OUT = "time_out"
    LATER = "later"


class WalletEntry(Struct, frozen=True):
    """One line of a wallet's history: what came in or went out, and what it had then."""

    id: LedgerTransactionId
    kind: str
    source_id: str
    description: str
    amount: Money
    balance: Money
    occurred_at: Instant
    recorded_at: Instant


class Wallet(Struct, frozen=True):
    """One wallet. Of `customer_id` and `user_id` one at most: without them it is the org's own."""

    id: WalletId
    account_id: AccountId
    customer_id: CustomerId | None
    user_id: UserId | None
    name: str
    status: WalletStatus
    balance: Money
    held: Money
    provoke_credit: Provocation
    transfer_limit: Money | None
    daily_limit: Money | None
    metadata: dict[str, str]
    closed_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def currency(self) -> Currency:
        """The one currency it is in."""
        return self.balance.currency

    @property
    def available(self) -> Money:
        """What may be spent now."""
        return self.balance - self.held

    @property
    def is_open(self) -> bool:
        """Whether it takes part in any move."""
        return self.status is WalletStatus.OPEN

    def to(self, status: WalletStatus) -> "Wallet":
        """The same wallet in another state, one version later.

        Raises:
            IllegalTransition: the table has no such edge.
        """
        allowed = TRANSITIONS[self.status]
        if status not in allowed:
            raise IllegalTransition(
                f"Wallet {self.id} is {self.status.value}; it cannot become {status.value}.",
                facts={
                    "currentStatus": self.status.value,
                    "allowedTransitions": [each.value for each in allowed],
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def edit(self, after: "Wallet", *, is_sandbox: bool) -> Change | None:
        """Another name, other limits: what a caller may change at will.

        Raises:
            InvalidInput: a failing credit is wanted where money is real.
        """
        assert after.id == self.id
        if after == self:
            return None
        _require_playground(after, is_sandbox=is_sandbox)
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(WalletUpdated(after, self),))

    def with_more(self, amount: Money) -> "Wallet":
        """The wallet once this amount is in it.

        Raises:
            WalletClosed, WrongCurrency: it takes no part, or is in another currency.
            AmountTooLarge: the balance would be beyond exact amounts.
        """
        self._require_part(amount)
        try:
            return replace(self, balance=self.balance + amount)
        except AmountOutOfRange as exceeded:
            raise AmountTooLarge("The balance would be beyond exact amounts.") from exceeded

    def with_less(self, amount: Money) -> "Wallet":
        """The wallet once this amount is taken from what is available.

        Raises:
            WalletClosed, WrongCurrency: it takes no part, or is in another currency.
            InsufficientFunds: less than that is available.
        """
        self._require_part(amount)
        self.require_available(amount)
        return replace(self, balance=self.balance - amount)

    def require_available(self, amount: Money) -> None:
        """Refuse to go below zero, or into what is held.

        Raises:
            InsufficientFunds: less than that is available.
        """
        if amount > self.available:
            raise InsufficientFunds(
                f"Wallet {self.id} has less available than that.",
                facts={"walletId": self.id, "availableCents": self.available.minor},
            )

    def deposit(self, amount: Money, at: Instant) -> Change:
        """Money of a sandbox's outside world is stored at once."""
        after = self._next(self.with_more(amount))
        origin = chart.external(amount.currency)
        posting = chart.wallet_deposited(after.move_id, self.id, origin, amount, at)
        return Change((after,), (posting,), (WalletDeposited(after, self),))

    def receive(
        self, amount: Money
    ) -> tuple["Wallet", tuple[WalletDeposited | WalletReopened, ...]]:
        """Money that really came, whatever happened meanwhile: it even opens a closed wallet."""
        if self.is_open:
            after = self._next(self.with_more(amount))
            return after, (WalletDeposited(after, self),)
        opened = replace(self.to(WalletStatus.OPEN), closed_at=None)
        after = opened.with_more(amount)
        return after, (WalletReopened(after, self), WalletDeposited(after, self))

    def withdraw(self, amount: Money, at: Instant, *, goal: Account) -> Change:
        """Stored money is paid out."""
        after = self._next(self.with_less(amount))
        posting = chart.wallet_withdrawn(after.move_id, self.id, goal, amount, at)
        return Change((after,), (posting,), (WalletWithdrawn(after, self),))

    def close(self, at: Instant, *, open_deposits: int, open_transfers: int = 0) -> Change:
        """The wallet takes no more part.

        Raises:
            IllegalTransition: it is closed already.
            StillInUse: it has money, or something is still on its way to it.
        """
        after = replace(self.to(WalletStatus.CLOSED), closed_at=at)
        if not self.balance.is_zero or open_deposits or open_transfers:
            raise StillInUse(
                f"Wallet {self.id} is not empty, or something is still on its way.",
                facts={"balanceCents": self.balance.minor, "heldCents": self.held.minor},
            )
        assert self.held.is_zero, "what is held is part of the balance"
        return Change(rows=(after,), events=(WalletClosed(after, self),))

    @property
    def move_id(self) -> str:
        """What a posting that made this version names as its cause."""
        return f"{self.id}:{self.version}"

    def require_open(self) -> None:
        """Refuse to take part once closed.

        Raises:
            WalletClosed: it is.
        """
        if not self.is_open:
            raise refusals.WalletClosed(
                f"Wallet {self.id} is closed.",
                facts={"walletId": self.id, "currentStatus": self.status.value},
            )

    def _require_part(self, amount: Money) -> None:
        assert amount.is_positive
        self.require_open()
        require_currency(amount.currency, self.currency, holder=f"Wallet {self.id}")

    def _next(self, after: "Wallet") -> "Wallet":
        return replace(after, version=self.version + 1)


def outside(currency: Currency, *, is_sandbox: bool) -> Account:
    """Where money goes that leaves: a sandbox has no bank."""
    return chart.external(currency) if is_sandbox else chart.bank(currency)


def open_wallet(wallet: Wallet, *, is_sandbox: bool) -> Change:
    """A new, empty wallet.

    Raises:
        InvalidInput: a failing credit is wanted where money is real.
    """
    assert wallet.is_open
    assert wallet.balance.is_zero
    _require_playground(wallet, is_sandbox=is_sandbox)
    return Change(rows=(wallet,), events=(WalletCreated(wallet),))


def require_currency(wanted: Currency | None, actual: Currency, *, holder: str) -> None:
    """Whoever names a currency names the right one; nothing is ever exchanged.

    Raises:
        WrongCurrency: another currency than the wallet's or the customer's.
    """
    if wanted is None or wanted == actual:
        return
    message = f"{holder} is in {actual}, not {wanted}."
    detail = Detail("currency", f"must be {actual}", "wrong_currency")
    raise WrongCurrency(message, details=(detail,))


def _require_playground(wallet: Wallet, *, is_sandbox: bool) -> None:
    if wallet.provoke_credit is not Provocation.NONE and not is_sandbox:
        message = "only a sandbox organization provokes failures"
        raise InvalidInput.at("provokeCredit", message, "sandbox_only")
