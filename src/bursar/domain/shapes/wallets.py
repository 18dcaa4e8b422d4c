"""A wallet as the world sees it: whose it is, what it has, and how much of that may be spent."""

from typing import Literal

from bursar.domain.money import Money
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant
from bursar.domain.wallets import Provocation, Wallet, WalletEntry, WalletStatus

OwnerType = Literal["customer", "member", "organization"]


class WalletOut(Shape, frozen=True, kw_only=True):
    """One wallet. What is available is the balance without what open holds set aside."""

    id: str
    object: Literal["wallet"] = "wallet"
    name: str
    owner_type: OwnerType
    customer_id: str | None
    user_id: str | None
    status: WalletStatus
    currency: str
    balance_cents: Cents
    held_cents: Cents
    available_cents: Cents
    transfer_limit_cents: Cents | None
    daily_limit_cents: Cents | None
    provoke_credit: Provocation
    metadata: dict[str, str]
    closed_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, wallet: Wallet) -> "WalletOut":
        """The wallet's shape."""
        return cls(
            id=wallet.id,
            name=wallet.name,
            owner_type=_owner_type(wallet),
            customer_id=wallet.customer_id,
            user_id=wallet.user_id,
            status=wallet.status,
            currency=wallet.currency,
            balance_cents=wallet.balance.minor,
            held_cents=wallet.held.minor,
            available_cents=wallet.available.minor,
            transfer_limit_cents=_cents(wallet.transfer_limit),
            daily_limit_cents=_cents(wallet.daily_limit),
            provoke_credit=wallet.provoke_credit,
            metadata=wallet.metadata,
            closed_at=instant(wallet.closed_at),
            version=wallet.version,
            created_at=wire_instant(wallet.created_at),
            updated_at=wire_instant(wallet.updated_at),
        )


class WalletBalanceOut(Shape, frozen=True, kw_only=True):
    """What a wallet has, and how much of that may be spent."""

    wallet_id: str
    object: Literal["wallet_balance"] = "wallet_balance"
    currency: str
    balance_cents: Cents
    held_cents: Cents
    available_cents: Cents

    @classmethod
    def of(cls, wallet: Wallet) -> "WalletBalanceOut":
        """The balance's shape."""
        return cls(
            wallet_id=wallet.id,
            currency=wallet.currency,
            balance_cents=wallet.balance.minor,
            held_cents=wallet.held.minor,
            available_cents=wallet.available.minor,
        )


class WalletEntryOut(Shape, frozen=True, kw_only=True):
    """One line of a wallet's history: above zero came in, below zero went out."""

    id: str
    object: Literal["wallet_entry"] = "wallet_entry"
    kind: str
    source_id: str
    description: str
    amount_cents: Cents
    balance_cents: Cents
    currency: str
    occurred_at: WireInstant
    created_at: WireInstant

    @classmethod
    def of(cls, entry: WalletEntry) -> "WalletEntryOut":
        """The line's shape."""
        return cls(
            id=entry.id,
            kind=entry.kind,
            source_id=entry.source_id,
            description=entry.description,
            amount_cents=entry.amount.minor,
            balance_cents=entry.balance.minor,
            currency=entry.amount.currency,
            occurred_at=wire_instant(entry.occurred_at),
            created_at=wire_instant(entry.recorded_at),
        )


def _owner_type(wallet: Wallet) -> OwnerType:
    if wallet.customer_id is not None:
        return "customer"
    return "organization" if wallet.user_id is None else "member"


def _cents(amount: Money | None) -> Cents | None:
    return None if amount is None else amount.minor
