"""Wallets: value that somebody has stored with us, in one currency, never below zero.

Owns what may happen to a wallet and what each move books; the balance itself is its strict ledger
account's. `held` lowers what is `available`, and only that may be spent. Refuses other currencies,
closed wallets and sums beyond exact amounts. `version` counts what happened to the wallet itself:
transfers move its balance without it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import WalletCreated, WalletUpdated
from bursar.domain.ids import AccountId, CustomerId, UserId, WalletId
from bursar.domain.money import Money
from bursar.domain.refusals import Detail, IllegalTransition, InvalidInput, WrongCurrency
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


@dataclass(frozen=True, slots=True)
class Wallet:
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
