"""Rows of transfers, and the set-based writing of many: one commit, a few statements, any number.

The accounts of all wallets concerned are locked first, or last of all, in the order of their ids;
accounts that are folded, such as `transit`, are never locked. Nothing else is locked after.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import TransferId, UserId, WalletId, bare, print_id, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_purse, row_to_transfer
from bursar.domain.shapes import render
from bursar.domain.transfers import FACTS, STRAIGHT, Purse, Transfer, TransferStatus
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.runtime.ids import new_uuid_texts
from bursar.runtime.sql import Query
from bursar.store import agenda, events, ledger
from bursar.store.events import Stamp
from bursar.store.saving import plain, quoted, replaced

Q = sql.beside(__file__)

# Locks on keys are few, whatever the number of keys: the server has room for so many only.
_KEY_LOCKS: Final = 64

_ENCODE: Final = msgspec.json.Encoder().encode
_MOVES: Final = 2  # of a completed transfer: debited and credited
_NAMES: Final = [FACTS[status].name for status in STRAIGHT]


def _fact_columns() -> tuple[list[object], ...]:
    """What the facts of a completed transfer differ in: name, the step shown, the one before."""
    shown = [{"status": status, "version": at} for at, status in enumerate(STRAIGHT, start=1)]
    former = [None, *({"status": status} for status in STRAIGHT[:-1])]
    facts = [FACTS[status] for status in STRAIGHT]
    return (
        [fact.name for fact in facts],
        [fact.payload_version for fact in facts],
        [fact.is_public for fact in facts],
        [msgspec.json.encode(step).decode() for step in shown],
        [step and msgspec.json.encode(step).decode() for step in former],
    )


_FACT_COLUMNS: Final = _fact_columns()


class Locked(Struct, frozen=True):
    """Wallets whose accounts are locked, and the ids of the accounts that moves on them touch."""

    purses: dict[WalletId, Purse]
    account_ids: dict[WalletId, UUID]
    transit_ids: dict[Currency, UUID]

    def accounts(self) -> dict[tuple[str, str], UUID]:
        """The same ids by code and currency."""
        found: dict[tuple[str, str], UUID] = {
            (chart.TRANSIT, currency): transit_id
            for currency, transit_id in self.transit_ids.items()
        }
        for wallet_id, account_id in self.account_ids.items():
            currency = self.purses[wallet_id].currency
            found[chart.wallet_code(wallet_id), currency] = account_id
        return found


async def lock(tx: Tx, wallet_ids: Collection[WalletId]) -> Locked:
    """Lock wallets; one that does not exist is left out."""
    return await _purses(tx, Q.lock_purses, wallet_ids)


async def see(tx: Tx, wallet_ids: Collection[WalletId]) -> Locked:
    """The same of wallets that are not locked: others may move what they hold meanwhile."""
    return await _purses(tx, Q.see_purses, wallet_ids)


async def _purses(tx: Tx, query: Query, wallet_ids: Collection[WalletId]) -> Locked:
    locked = Locked({}, {}, {})
    wanted = plain([bare(wallet_id) for wallet_id in wallet_ids])
    for row in await tx.fetch(query, uuid_of(tx.org_id), wanted):
        purse = row_to_purse(row)
        locked.purses[purse.wallet_id] = purse
        locked.account_ids[purse.wallet_id] = row["account_id"]
        if row["transit_id"] is not None:
            locked.transit_ids[purse.currency] = row["transit_id"]
    for currency in {purse.currency for purse in locked.purses.values()}:
        if currency not in locked.transit_ids:
            opened = await ledger.open_folded(tx, chart.transit(currency))
            locked.transit_ids[currency] = opened
    return locked


async def with_sent(tx: Tx, locked: Locked, since: datetime) -> Locked:
    """The same, knowing what wallets with a daily limit have sent since then."""
    limited = [
        uuid_of(purse.wallet_id)
        for purse in locked.purses.values()
        if purse.daily_limit_minor is not None
    ]
    if not limited:
        return locked
    purses = dict(locked.purses)
    for row in await tx.fetch(Q.sent_since, uuid_of(tx.org_id), limited, since):
        wallet_id = WalletId(print_id("wal", row["from_wallet_id"]))
        known, sent_minor = purses[wallet_id], row["sent_minor"]
        purses[wallet_id] = msgspec.structs.replace(known, sent_today_minor=sent_minor)
    return replace(locked, purses=purses)


async def lock_keys(tx: Tx, keys: Collection[str]) -> dict[str, Transfer]:
    """What callers' own keys have moved before; whoever brings one of them at once waits."""
    org_id = uuid_of(tx.org_id)
    await tx.fetch(Q.lock_keys, org_id, list(keys), _KEY_LOCKS)
    rows = await tx.fetch(Q.transfers_of_keys, org_id, list(keys))
    return {row["caller_key"]: row_to_transfer(row) for row in rows}


async def own_wallets(tx: Tx, user_ids: Collection[UserId]) -> dict[UserId, WalletId]:
    """The wallets of these people; who has none yet is left out."""
    wanted = [uuid_of(user_id) for user_id in user_ids]
    return {
        UserId(print_id("usr", row["user_id"])): WalletId(print_id("wal", row["id"]))
        for row in await tx.fetch(Q.own_wallets, uuid_of(tx.org_id), wanted)
    }


async def in_flight(tx: Tx, wallet_id: WalletId) -> int:
    """How many transfers out of a wallet may still come back."""
    return int(await tx.fetchval(Q.count_in_flight, uuid_of(tx.org_id), uuid_of(wallet_id)))


async def get(tx: Tx, transfer_id: TransferId) -> Transfer:
    """One transfer.

    Raises:
        NotFound: no such transfer in this organization.
    """
    row = await tx.fetchrow(Q.get_transfer, uuid_of(tx.org_id), uuid_of(transfer_id))
    if row is None:
        raise NotFound(f"No transaction {transfer_id}.")
    return row_to_transfer(row)


async def book(tx: Tx, locked: Locked, begun: Sequence[tuple[Change, Stamp]]) -> None:
    """Write transfers whose debit stands alone, with everything they cause."""
    if not begun:
        return
    changes = [change for change, _ in begun]
    await _insert(tx, [_transfer_of(change) for change in changes])
    await ledger.post_many(
        tx, [posting for change in changes for posting in change.postings], locked.accounts()
    )
    await events.append_many(
        tx, [(event, stamp) for change, stamp in begun for event in change.events]
    )
    for item in [item for change in changes for item in change.agenda]:
        await agenda.note(tx, item)


async def book_completed(
    tx: Tx, locked: Locked, completed: Sequence[tuple[Transfer, Stamp]]
) -> None:
    """Write transfers that are completed with this commit, and everything they cause, at once."""
    if completed:
        moved, _ = _turnover(locked, completed)
        await _write_completed(tx, locked, completed, (plain(moved), plain(moved.values())))


async def book_ahead(tx: Tx, seen: Locked, completed: Sequence[tuple[Transfer, Stamp]]) -> bool:
    """Write the same of wallets that are not locked, and lock them last, to move their balances.

    The rows of others need not wait then while these are written, but for the shortest part.
    False says that others have moved so much meanwhile that some of it may not be, or not in this
    order: then nothing of it may be committed.
    """
    if not completed:
        return True
    await _write_completed(tx, seen, completed, (plain(()), plain(())))
    moved, needed = _turnover(seen, completed)
    touched = await tx.execute(
        Q.move_if_enough,
        uuid_of(tx.org_id),
        plain(moved),
        plain(moved.values()),
        plain([needed[account_id] for account_id in moved]),
    )
    return touched == len(moved)


async def _write_completed(
    tx: Tx,
    locked: Locked,
    completed: Sequence[tuple[Transfer, Stamp]],
    moved: tuple[str, str],
) -> None:
    """The rows of completed transfers, and the accounts moved with them by how much.

    What the statement adds to a row follows from the row alone, so it is said once for all of
    them: the two moves of the chart, and the facts of each status passed.
    """
    rows = [row for row, _ in completed]
    stamps = [stamp for _, stamp in completed]
    accounts = locked.account_ids
    moves = new_uuid_texts(_MOVES * len(rows))
    facts = new_uuid_texts(len(STRAIGHT) * len(rows))
    tx.told.extend(_NAMES * len(rows))
    await tx.execute(
        Q.insert_completed,
        uuid_of(tx.org_id),
        tx.now,
        *moved,
        plain([bare(row.id) for row in rows]),
        plain([bare(row.from_wallet_id) for row in rows]),
        plain([bare(row.to_wallet_id) for row in rows]),
        plain([accounts[row.from_wallet_id] for row in rows]),
        plain([accounts[row.to_wallet_id] for row in rows]),
        plain([locked.transit_ids[row.amount.currency] for row in rows]),
        *(plain(moves[at::_MOVES]) for at in range(_MOVES)),
        *(plain(facts[at :: len(STRAIGHT)]) for at in range(len(STRAIGHT))),
        plain([row.amount.minor for row in rows]),
        plain([row.amount.currency for row in rows]),
        quoted([row.caller_key for row in rows]),
        quoted([stamp.actor for stamp in stamps]),
        quoted([stamp.reason for stamp in stamps]),
        quoted([stamp.request_id for stamp in stamps]),
        _ENCODE([render.shape_of(row) for row in rows]).decode(),
        *_FACT_COLUMNS,
    )


def _turnover(
    locked: Locked, completed: Sequence[tuple[Transfer, Stamp]]
) -> tuple[dict[UUID, int], dict[UUID, int]]:
    """What each account gains or loses by all of them, and must hold before the first of them.

    What they gain is in the order of the accounts' ids, as the statements expect it.
    """
    gained: dict[UUID, int] = {}
    needed: dict[UUID, int] = {}
    for row, _ in completed:
        sender = locked.account_ids[row.from_wallet_id]
        receiver = locked.account_ids[row.to_wallet_id]
        left = gained[sender] = gained.get(sender, 0) - row.amount.minor
        needed[sender] = max(needed.get(sender, 0), -left)
        gained[receiver] = gained.get(receiver, 0) + row.amount.minor
        needed.setdefault(receiver, 0)
    return dict(sorted(gained.items())), needed


async def settle(tx: Tx, locked: Locked, before: Transfer, change: Change) -> Transfer:
    """Write the rest of a transfer whose debit stood alone, or that nobody answered for it."""
    for item in change.agenda:
        await agenda.note(tx, item)
    if not change.rows:
        await tx.execute(Q.count_attempt, uuid_of(tx.org_id), uuid_of(before.id))
        return before
    transfer = _transfer_of(change)
    at = {step.status: step.at for step in transfer.history}
    touched = await tx.execute(
        Q.settle_transfer,
        uuid_of(tx.org_id),
        uuid_of(transfer.id),
        transfer.status.value,
        transfer.credit_attempts,
        transfer.failure,
        transfer.version,
        *(
            at.get(TransferStatus[name])
            for name in ("CREDITED", "COMPLETED", "REFUNDING", "FAILED")
        ),
    )
    replaced(transfer, touched)
    await ledger.post_many(tx, change.postings, locked.accounts())
    stamp = Stamp(tx.actor, tx.reason, tx.request_id)
    await events.append_many(tx, [(event, stamp) for event in change.events])
    return transfer


async def _insert(tx: Tx, rows: Sequence[Transfer]) -> None:
    await tx.execute(
        Q.insert_transfers,
        uuid_of(tx.org_id),
        tx.now,
        [uuid_of(row.id) for row in rows],
        [uuid_of(row.from_wallet_id) for row in rows],
        [uuid_of(row.to_wallet_id) for row in rows],
        [row.status.value for row in rows],
        [row.amount.minor for row in rows],
        [row.amount.currency for row in rows],
        [row.description for row in rows],
        [msgspec.json.encode(row.metadata).decode() for row in rows],
        [row.provoked.value for row in rows],
        [row.version for row in rows],
        [row.caller_key for row in rows],
    )


def _transfer_of(change: Change) -> Transfer:
    (row,) = change.rows
    assert isinstance(row, Transfer)
    return row
