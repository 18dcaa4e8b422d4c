"""Rows of wallets, each beside the account that keeps what it has."""

import msgspec

from bursar.domain.currencies import Currency
from bursar.domain.ids import CustomerId, HoldId, UserId, WalletId, print_id, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_wallet
from bursar.domain.wallets import Wallet
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def lock(tx: Tx, wallet_id: WalletId) -> Wallet:
    """One wallet; from here on the verb is alone with it and with its money.

    Raises:
        NotFound: no such wallet in this organization.
    """
    row = await tx.fetchrow(Q.lock_wallet, uuid_of(tx.org_id), uuid_of(wallet_id))
    if row is None:
        raise NotFound(f"No wallet {wallet_id}.")
    return row_to_wallet(row)


async def lock_through(tx: Tx, hold_id: HoldId) -> Wallet:
    """The wallet a hold is on, locked the same way.

    Raises:
        NotFound: no such hold in this organization.
    """
    row = await tx.fetchrow(Q.lock_through_hold, uuid_of(tx.org_id), uuid_of(hold_id))
    if row is None:
        raise NotFound(f"No hold {hold_id}.")
    return row_to_wallet(row)


async def lock_own(tx: Tx, user_id: UserId) -> Wallet | None:
    """A member's one wallet, if it was ever used; either way nobody else makes it meanwhile.

    Raises:
        NotFound: no such member of this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(user_id)
    if await tx.fetchval(Q.lock_member, *key) is None:
        raise NotFound("No such member.")
    row = await tx.fetchrow(Q.lock_wallet_of_user, *key)
    return None if row is None else row_to_wallet(row)


async def of_customer(tx: Tx, customer_id: CustomerId, currency: Currency) -> list[WalletId]:
    """The open wallets of a customer in this currency, oldest first; two tell enough."""
    key = uuid_of(tx.org_id), uuid_of(customer_id), currency
    return [
        WalletId(print_id("wal", row["id"])) for row in await tx.fetch(Q.wallets_of_customer, *key)
    ]


async def count_open(tx: Tx, customer_id: CustomerId) -> int:
    """How many wallets of a customer are open."""
    key = uuid_of(tx.org_id), uuid_of(customer_id)
    return int(await tx.fetchval(Q.count_open_wallets, *key))


async def save(tx: Tx, row: Wallet) -> None:
    """Insert version 1, or replace the version before; the balance is the account's to keep.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.account_id),
        None if row.customer_id is None else uuid_of(row.customer_id),
        None if row.user_id is None else uuid_of(row.user_id),
        row.name,
        row.currency,
        row.status.value,
        row.provoke_credit.value,
        None if row.transfer_limit is None else row.transfer_limit.minor,
        None if row.daily_limit is None else row.daily_limit.minor,
        msgspec.json.encode(row.metadata).decode(),
        row.closed_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_wallet if row.version == 1 else Q.update_wallet
    replaced(row, await tx.execute(query, *values))
