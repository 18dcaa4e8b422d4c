"""Postings: append-only, once per move and source, with kept balances for accounts with a floor."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg

from bursar.domain.ids import AccountId, print_id, uuid_of
from bursar.domain.ledger import Account, Entry, Posting
from bursar.domain.refusals import AmountTooLarge, InsufficientFunds, WalletClosed
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


@contextmanager
def refusing() -> Iterator[None]:
    """Says what a strict account's constraint means: the last line behind the rules.

    Raises:
        InsufficientFunds: less is available than a statement wanted to take or to hold.
        WalletClosed: money for an account that is closed.
        AmountTooLarge: a balance beyond exact amounts.
    """
    try:
        yield
    except asyncpg.CheckViolationError as violated:
        match violated.constraint_name:
            case "balance_above_floor" | "available_above_floor":
                raise InsufficientFunds("Less than that is available.") from violated
            case "closed_is_empty":
                raise WalletClosed("The wallet is closed.") from violated
            case "balance_is_exact":
                raise AmountTooLarge("The balance would be beyond exact amounts.") from violated
        raise


async def post(tx: Tx, posting: Posting) -> None:
    """Book one move.

    Raises:
        asyncpg.UniqueViolationError: the same move of the same source is in the books already: a
            bug, since the domain decides under the customer's lock.
        InsufficientFunds, WalletClosed, AmountTooLarge: a strict account says no, see `refusing`.
    """
    assert sum(entry.amount.minor for entry in posting.entries) == 0
    currencies = {entry.amount.currency for entry in posting.entries}
    assert len(currencies) == 1, "one posting, one currency"
    currency = currencies.pop()
    ids = await _account_ids(tx, posting.entries, currency)
    await _move_strict(tx, posting.entries, ids)
    await tx.execute(
        Q.post,
        uuid_of(tx.org_id),
        uuid_of(tx.new_id("led")),
        posting.kind,
        posting.source_id,
        posting.description,
        posting.occurred_at,
        posting.corrects,
        currency,
        [ids[entry.account.code] for entry in posting.entries],
        [entry.amount.minor for entry in posting.entries],
    )


async def open_account(tx: Tx, account: Account) -> AccountId:
    """The account's id; it is made when it does not exist yet."""
    await _open(tx, [account], account.currency)
    ids = await _found(tx, [account.code], account.currency)
    return AccountId(print_id("acct", ids[account.code]))


async def post_many(
    tx: Tx, postings: Sequence[Posting], accounts: Mapping[tuple[str, str], UUID]
) -> None:
    """Book many moves in one statement; `accounts` are the ids of theirs, by code and currency.

    The strict ones among them are locked already, in the order of their ids.

    Raises:
        asyncpg.UniqueViolationError: one of them is in the books already: a bug.
        asyncpg.CheckViolationError: a floor would be crossed: the same.
    """
    ids = [uuid_of(tx.new_id("led")) for _ in postings]
    deltas: dict[UUID, int] = {}
    entries: list[tuple[UUID, int, UUID, int, str]] = []
    for made, posting in zip(ids, postings, strict=True):
        assert posting.corrects is None, "corrections are booked one by one"
        for position, entry in enumerate(posting.entries, start=1):
            account, minor = entry.account, entry.amount.minor
            account_id = accounts[account.code, account.currency]
            entries.append((made, position, account_id, minor, account.currency))
            if account.is_strict:
                moved = minor * account.natural_sign
                deltas[account_id] = deltas.get(account_id, 0) + moved
    await tx.execute(
        Q.post_many,
        uuid_of(tx.org_id),
        list(deltas),
        list(deltas.values()),
        tx.now,
        ids,
        [posting.kind for posting in postings],
        [posting.source_id for posting in postings],
        [posting.description for posting in postings],
        *map(list, zip(*entries, strict=True)),
    )


async def accounts_of(tx: Tx, postings: Sequence[Posting]) -> dict[tuple[str, str], UUID]:
    """The ids of the postings' accounts, by code and currency; those that are missing are made."""
    entries = {entry.account: entry for posting in postings for entry in posting.entries}
    found: dict[tuple[str, str], UUID] = {}
    for currency in {account.currency for account in entries}:
        mine = tuple(entry for account, entry in entries.items() if account.currency == currency)
        ids = await _account_ids(tx, mine, currency)
        found.update({(code, currency): ids[code] for code in ids})
    return found


async def fold(tx: Tx) -> int:
    """Carry forward the sums of accounts that were closed; how many there were."""
    return await tx.execute(Q.fold, uuid_of(tx.org_id))


async def close(tx: Tx, before: Instant) -> int:
    """Close folded accounts for everything before an instant; how many there were."""
    return await tx.execute(Q.close, uuid_of(tx.org_id), before)


async def open_folded(tx: Tx, account: Account) -> UUID:
    """The id of an account without a floor; it is made when it does not exist yet."""
    assert not account.is_strict
    await _open(tx, [account], account.currency)
    return (await _found(tx, [account.code], account.currency))[account.code]


async def _account_ids(tx: Tx, entries: tuple[Entry, ...], currency: str) -> dict[str, UUID]:
    codes = [entry.account.code for entry in entries]
    ids = await _found(tx, codes, currency)
    missing = [entry.account for entry in entries if entry.account.code not in ids]
    if missing:
        await _open(tx, missing, currency)
        ids = await _found(tx, codes, currency)
    return ids


async def _found(tx: Tx, codes: list[str], currency: str) -> dict[str, UUID]:
    rows = await tx.fetch(Q.find_accounts, uuid_of(tx.org_id), currency, codes)
    return {row["code"]: row["id"] for row in rows}


async def _open(tx: Tx, accounts: list[Account], currency: str) -> None:
    await tx.execute(
        Q.open_accounts,
        uuid_of(tx.org_id),
        currency,
        [uuid_of(tx.new_id("acct")) for _ in accounts],
        [account.code for account in accounts],
        [account.kind.value for account in accounts],
        [account.floor_minor for account in accounts],
    )


async def _move_strict(tx: Tx, entries: tuple[Entry, ...], ids: dict[str, UUID]) -> None:
    strict = [entry for entry in entries if entry.account.is_strict]
    if strict:
        with refusing():
            await tx.execute(
                Q.move_strict_balances,
                uuid_of(tx.org_id),
                [ids[entry.account.code] for entry in strict],
                [entry.account.balance(entry.amount).minor for entry in strict],
            )
