"""Holds: set a part of a wallet's money aside, take it, free it, or let its time run out."""

from msgspec import Struct, field

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.holds import HELD_FOR, Hold, HoldStatus, authorize
from bursar.domain.ids import HoldId, WalletId
from bursar.domain.money import Money
from bursar.domain.orgs import Mode
from bursar.domain.times import Instant
from bursar.domain.wallets import outside, require_currency
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import holds, wallets
from bursar.store.apply import apply


class CreateHold(Struct, frozen=True, kw_only=True):
    """How much of which wallet, and until when; a week unless it is said."""

    wallet_id: WalletId
    amount_minor: int
    currency: Currency | None = None
    expires_at: Instant | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@operation(requires=Permission.WALLET_MOVE)
async def create_hold(tx: Tx, command: CreateHold) -> Hold:
    """Authorize: what is held stays in the wallet and is not available.

    Raises:
        NotFound: no such wallet.
        InsufficientFunds, WalletClosed, WrongCurrency: the wallet has not got it.
    """
    wallet = await wallets.lock(tx, command.wallet_id)
    require_currency(command.currency, wallet.currency, holder=f"Wallet {wallet.id}")
    hold = Hold(
        id=HoldId(tx.new_id("hld")),
        wallet_id=wallet.id,
        status=HoldStatus.OPEN,
        amount=Money(command.amount_minor, wallet.currency),
        captured=Money.zero(wallet.currency),
        description=command.description,
        metadata=command.metadata,
        expires_at=command.expires_at or tx.wall + HELD_FOR,
        settled_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return await _written(tx, hold, authorize(hold, wallet, wall=tx.wall))


class CaptureHold(Struct, frozen=True):
    """Take this much of it; all, when nothing is said."""

    hold_id: HoldId
    amount_minor: int | None = None


@operation(requires=Permission.WALLET_MOVE)
async def capture_hold(tx: Tx, command: CaptureHold) -> Hold:
    """Capture all or a part; the rest is free again.

    Raises:
        NotFound: no such hold.
        IllegalTransition, HoldOverdue: it is over.
        InvalidInput: more than it holds.
    """
    wallet = await wallets.lock_through(tx, command.hold_id)
    hold = await holds.get(tx, command.hold_id)
    hold.require_in_time(tx.wall)
    minor = hold.amount.minor if command.amount_minor is None else command.amount_minor
    goal = outside(wallet.currency, is_sandbox=tx.mode == Mode.SANDBOX.value)
    change = hold.capture(wallet, Money(minor, wallet.currency), tx.now, goal=goal)
    return await _written(tx, hold, change)


class SettleHold(Struct, frozen=True):
    """A hold to be ended."""

    hold_id: HoldId


@operation(requires=Permission.WALLET_MOVE)
async def release_hold(tx: Tx, command: SettleHold) -> Hold:
    """Free what it holds.

    Raises:
        NotFound: no such hold.
        IllegalTransition: it is over.
    """
    await wallets.lock_through(tx, command.hold_id)
    hold = await holds.get(tx, command.hold_id)
    return await _written(tx, hold, hold.release(tx.now))


@operation(requires=Permission.HOLD_EXPIRE)
async def expire_hold(tx: Tx, command: SettleHold) -> Hold:
    """Its time is over; what ended otherwise stays as it is."""
    await wallets.lock_through(tx, command.hold_id)
    hold = await holds.get(tx, command.hold_id)
    change = hold.expire(tx.now, wall=tx.wall)
    return hold if change is None else await _written(tx, hold, change)


async def _written(tx: Tx, hold: Hold, change: Change) -> Hold:
    written = (await apply(tx, change))[hold.id]
    assert isinstance(written, Hold)
    return written
