"""Transfers: take them, one or many in a commit, and settle those whose debit stands alone."""

from collections.abc import Sequence

from msgspec import Struct, field

from bursar.domain.access import Permission
from bursar.domain.calendars import day_begins
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.ids import TransferId, UserId, WalletId, print_id
from bursar.domain.orgs import Mode
from bursar.domain.refusals import IdempotencyMismatch, InvalidInput, NotFound, Refusal
from bursar.domain.tasks import ResumeTransfer
from bursar.domain.transfers import Order, Till, Transfer
from bursar.runtime.app import operation
from bursar.runtime.convoys import Rider, convoy
from bursar.runtime.db import Tx
from bursar.store import orgs, transfers
from bursar.store.events import Stamp
from bursar.store.transfers import Locked

Outcome = Transfer | Refusal


class PostTransfer(Struct, frozen=True, kw_only=True):
    """An amount to move. Without a sender it is the wallet of `user_id`, who asks.

    `key` is the caller's own word for this transfer: the same word never moves money twice.
    """

    to_wallet_id: WalletId
    amount_minor: int
    from_wallet_id: WalletId | None = None
    user_id: UserId | None = None
    currency: Currency | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    key: str | None = None


@operation(requires=Permission.WALLET_MOVE)
async def post_transfer(tx: Tx, command: PostTransfer) -> Transfer:
    """Take one transfer: done with this commit, or debited and to be settled by the next.

    Whoever repeats the request before its answer was kept goes on with the transfer it began.

    Raises:
        Refusal: the transfer may not be; nothing moved.
    """
    if tx.begun is not None:
        return await transfers.get(tx, TransferId(print_id("txn", tx.begun)))
    (outcome,) = await _taken(tx, (command,), (_stamp(tx),))
    if isinstance(outcome, Refusal):
        raise outcome
    if outcome.is_open:
        await tx.note_begun(outcome.id)
    return outcome


@convoy(requires=Permission.WALLET_MOVE)
async def post_together(tx: Tx, riders: Sequence[Rider[PostTransfer]]) -> Sequence[Outcome]:
    """Take one transfer each for many requests; whoever is refused stops nobody."""
    stamps = [Stamp(rider.actor, rider.reason, rider.request_id) for rider in riders]
    return await _taken(tx, [rider.command for rider in riders], stamps)


class Overtaken(Exception):
    """Others moved meanwhile what was decided by; nothing of it is committed. Ask once more."""


class PostTransfers(Struct, frozen=True):
    """Many amounts to move, in this order.

    `is_ahead` has them written before their wallets are locked, so that batches which share a
    wallet wait for each other a moment only.
    """

    transfers: tuple[PostTransfer, ...]
    is_ahead: bool = False


@operation(requires=Permission.WALLET_MOVE)
async def post_transfers(tx: Tx, command: PostTransfers) -> tuple[Outcome, ...]:
    """Take many transfers in one commit; one that is refused fails no other.

    What is only debited by it is settled by a task right after.

    Raises:
        Overtaken: they were decided ahead, and do not hold any more.
    """
    stamps = [_stamp(tx)] * len(command.transfers)
    if command.is_ahead:
        ahead = await _taken_ahead(tx, command.transfers, stamps)
        if ahead is not None:
            return ahead
    outcomes = await _taken(tx, command.transfers, stamps)
    debited = [one.id for one in outcomes if isinstance(one, Transfer) and one.is_open]
    await tx.enqueue(*(ResumeTransfer(transfer_id) for transfer_id in debited))
    return outcomes


class SettleTransfer(Struct, frozen=True):
    """Credit what a transfer has debited, or give it back."""

    transfer_id: TransferId


@operation(requires=Permission.WALLET_MOVE)
async def settle_transfer(tx: Tx, command: SettleTransfer) -> Transfer:
    """The one door to the end of a transfer, whoever comes: the request, a task, the agenda.

    The locks of its wallets make whoever comes second find it settled.
    """
    seen = await transfers.get(tx, command.transfer_id)
    locked = await transfers.lock(tx, {seen.from_wallet_id, seen.to_wallet_id})
    transfer = await transfers.get(tx, command.transfer_id)
    change = _till(tx, locked).settle(transfer)
    if change is None:
        return transfer
    return await transfers.settle(tx, locked, transfer, change)


def _stamp(tx: Tx) -> Stamp:
    return Stamp(tx.actor, tx.reason, tx.request_id)


async def _taken(
    tx: Tx, asked: Sequence[PostTransfer], stamps: Sequence[Stamp]
) -> tuple[Outcome, ...]:
    keys = [each.key for each in asked if each.key is not None]
    known = await transfers.lock_keys(tx, keys) if keys else {}
    own = await _own_wallets(tx, asked)
    orders = _orders(tx, asked, own)
    locked = await _locked(tx, [order for order in orders if isinstance(order, Order)])
    counter = _Counter(tx, locked, known)
    outcomes = tuple(
        counter.serve(each, order, stamp)
        for each, order, stamp in zip(asked, orders, stamps, strict=True)
    )
    await transfers.book_completed(tx, locked, counter.completed)
    await transfers.book(tx, locked, counter.begun)
    return outcomes


async def _taken_ahead(
    tx: Tx, asked: Sequence[PostTransfer], stamps: Sequence[Stamp]
) -> tuple[Outcome, ...] | None:
    """The same, decided by what wallets hold now; nothing, when it takes locks to decide.

    What is written is true whenever the wallets still hold enough once they are locked, each in
    the order of the transfers. Limits of a day and keys need more than that, and so does a debit
    that stands alone.
    """
    if any(each.key is not None for each in asked):
        return None
    own = await _own_wallets(tx, asked)
    orders = _orders(tx, asked, own)
    named = [order for order in orders if isinstance(order, Order)]
    senders = {order.from_wallet_id for order in named}
    seen = await transfers.see(tx, senders | {order.to_wallet_id for order in named})
    if any(seen.purses[each].daily_limit_minor for each in senders & seen.purses.keys()):
        return None
    counter = _Counter(tx, seen, {})
    outcomes = tuple(
        counter.serve(each, order, stamp)
        for each, order, stamp in zip(asked, orders, stamps, strict=True)
    )
    if counter.begun:
        return None
    if not await transfers.book_ahead(tx, seen, counter.completed):
        raise Overtaken
    return outcomes


class _Counter:
    """Serves one order after another and remembers what was taken."""

    def __init__(self, tx: Tx, locked: Locked, known: dict[str, Transfer]) -> None:
        self._till = _till(tx, locked)
        self._purses = locked.purses
        self._known = known
        self.completed: list[tuple[Transfer, Stamp]] = []
        self.begun: list[tuple[Change, Stamp]] = []

    def serve(self, asked: PostTransfer, order: Order | Refusal, stamp: Stamp) -> Outcome:
        """The transfer, or why it may not be."""
        try:
            if isinstance(order, Refusal):
                return order
            return self._served(asked, order, stamp)
        except Refusal as refusal:
            return refusal

    def _served(self, asked: PostTransfer, order: Order, stamp: Stamp) -> Transfer:
        before = None if asked.key is None else self._known.get(asked.key)
        if before is not None:
            return _repeated(before, order)
        for wallet_id in (order.from_wallet_id, order.to_wallet_id):
            if wallet_id not in self._purses:
                raise NotFound(f"No wallet {wallet_id}.")
        transfer = self._till.accept(order)
        if transfer.is_open:
            self.begun.append((self._till.minutes(transfer), stamp))
        else:
            self.completed.append((transfer, stamp))
        if asked.key is not None:
            self._known[asked.key] = transfer
        return transfer


def _repeated(before: Transfer, order: Order) -> Transfer:
    """What the same key moved before.

    Raises:
        IdempotencyMismatch: it moved something else.
    """
    if not before.is_same(order):
        raise IdempotencyMismatch(f"This key belongs to transaction {before.id}.")
    return before


def _till(tx: Tx, locked: Locked) -> Till:
    return Till(locked.purses, at=tx.now, wall=tx.wall, is_sandbox=tx.mode == Mode.SANDBOX.value)


async def _own_wallets(tx: Tx, asked: Sequence[PostTransfer]) -> dict[UserId, WalletId]:
    """The wallets of those who did not name one."""
    people = {each.user_id for each in asked if each.from_wallet_id is None}
    people.discard(None)
    return await transfers.own_wallets(tx, [each for each in people if each]) if people else {}


def _orders(
    tx: Tx, asked: Sequence[PostTransfer], own: dict[UserId, WalletId]
) -> list[Order | Refusal]:
    ids = tx.new_uuids(len(asked))
    return [
        _order(each, own, TransferId(print_id("txn", made)))
        for each, made in zip(asked, ids, strict=True)
    ]


def _order(
    asked: PostTransfer, own: dict[UserId, WalletId], transfer_id: TransferId
) -> Order | Refusal:
    sender = asked.from_wallet_id
    if sender is None and asked.user_id is not None:
        sender = own.get(asked.user_id)
    if sender is None:
        return InvalidInput.at("fromWalletId", "name the wallet: you have none here", "required")
    return Order(
        transfer_id=transfer_id,
        from_wallet_id=sender,
        to_wallet_id=asked.to_wallet_id,
        amount_minor=asked.amount_minor,
        currency=asked.currency,
        description=asked.description,
        metadata=asked.metadata,
        key=asked.key,
    )


async def _locked(tx: Tx, orders: Sequence[Order]) -> Locked:
    senders = {order.from_wallet_id for order in orders}
    locked = await transfers.lock(tx, senders | {order.to_wallet_id for order in orders})
    if not any(locked.purses[each].daily_limit_minor for each in senders & locked.purses.keys()):
        return locked
    organization = await orgs.get(tx)
    return await transfers.with_sent(tx, locked, day_begins(tx.now, organization.timezone))
