"""Transfers between wallets as the world sees them; there they are called transactions.

An event carries the transfer as it was at that step. An answer adds the history, which to a reader
of events is the events themselves.
"""

from typing import Literal

from bursar.domain.shapes.fields import Cents, Shape, WireInstant
from bursar.domain.times import wire_instant
from bursar.domain.transfers import CreditFailure, Step, Transfer, TransferStatus


class TransferFactOut(Shape, frozen=True, kw_only=True):
    """One transfer at one step, as events carry it."""

    id: str
    object: Literal["transaction"] = "transaction"
    from_wallet_id: str
    to_wallet_id: str
    amount_cents: Cents
    currency: str
    status: TransferStatus
    failure_code: CreditFailure | None
    description: str | None
    metadata: dict[str, str]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferFactOut":
        """The transfer's shape."""
        return cls(
            id=transfer.id,
            from_wallet_id=transfer.from_wallet_id,
            to_wallet_id=transfer.to_wallet_id,
            amount_cents=transfer.amount.minor,
            currency=transfer.amount.currency,
            status=transfer.status,
            failure_code=transfer.failure,
            description=transfer.description,
            metadata=transfer.metadata,
            version=transfer.version,
            created_at=wire_instant(transfer.created_at),
            updated_at=wire_instant(transfer.updated_at),
        )


class StepOut(Shape, frozen=True, kw_only=True):
    """A status and when the transfer arrived at it."""

    status: TransferStatus
    at: WireInstant

    @classmethod
    def of(cls, step: Step) -> "StepOut":
        """The step's shape."""
        return cls(status=step.status, at=wire_instant(step.at))


class TransferOut(Shape, frozen=True, kw_only=True):
    """One transfer with every step it took, oldest first."""

    id: str
    object: Literal["transaction"] = "transaction"
    from_wallet_id: str
    to_wallet_id: str
    amount_cents: Cents
    currency: str
    status: TransferStatus
    failure_code: CreditFailure | None
    description: str | None
    metadata: dict[str, str]
    history: tuple[StepOut, ...]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferOut":
        """The transfer's shape."""
        return cls(
            id=transfer.id,
            from_wallet_id=transfer.from_wallet_id,
            to_wallet_id=transfer.to_wallet_id,
            amount_cents=transfer.amount.minor,
            currency=transfer.amount.currency,
            status=transfer.status,
            failure_code=transfer.failure,
            description=transfer.description,
            metadata=transfer.metadata,
            history=tuple(map(StepOut.of, transfer.history)),
            version=transfer.version,
            created_at=wire_instant(transfer.created_at),
            updated_at=wire_instant(transfer.updated_at),
        )
