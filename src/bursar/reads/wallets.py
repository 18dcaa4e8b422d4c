"""Looks at wallets: what they have, what of it is held, and how it came and went."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.ids import CustomerId, UserId, WalletId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_wallet, row_to_wallet_entry
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet, WalletEntry, WalletStatus
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class WalletFilters(Struct, frozen=True, kw_only=True):
    """Which wallets; what is None or empty filters nothing."""

    customer_id: CustomerId | None = None
    currency: Currency | None = None
    statuses: tuple[WalletStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            None if self.customer_id is None else uuid_of(self.customer_id),
            self.currency,
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.WALLET_READ)
async def wallet(tx: ReadTx, wallet_id: WalletId) -> Wallet:
    """One wallet.

    Raises:
        NotFound: no such wallet in this organization.
    """
    row = await tx.fetchrow(Q.wallet, uuid_of(tx.org_id), uuid_of(wallet_id))
    if row is None:
        raise NotFound(f"No wallet {wallet_id}.")
    return row_to_wallet(row)


@query(requires=Permission.WALLET_READ)
async def wallets(tx: ReadTx, page: Page, filters: WalletFilters) -> Paged[Wallet]:
    """The wallets, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.wallets.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_wallets, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_wallet, rows)], page, total_count=count)


@query(requires=Permission.SELF)
async def own_wallet(tx: ReadTx, user_id: UserId) -> Wallet | None:
    """A member's own wallet, if it was ever used."""
    return await _own(tx, user_id)


@query(requires=Permission.WALLET_READ)
async def wallet_history(tx: ReadTx, wallet_id: WalletId, page: Page) -> Paged[WalletEntry]:
    """What came and went, newest first, each with the balance it left.

    Raises:
        NotFound: no such wallet in this organization.
    """
    row = await tx.fetchrow(Q.wallet, uuid_of(tx.org_id), uuid_of(wallet_id))
    if row is None:
        raise NotFound(f"No wallet {wallet_id}.")
    return await _history(tx, row_to_wallet(row), page)


@query(requires=Permission.SELF)
async def own_history(tx: ReadTx, user_id: UserId, page: Page) -> Paged[WalletEntry]:
    """The same of a member's own wallet; one never used has no history."""
    own = await _own(tx, user_id)
    return Paged(()) if own is None else await _history(tx, own, page)


async def _own(tx: ReadTx, user_id: UserId) -> Wallet | None:
    row = await tx.fetchrow(Q.wallet_of_user, uuid_of(tx.org_id), uuid_of(user_id))
    return None if row is None else row_to_wallet(row)


async def _history(tx: ReadTx, of: Wallet, page: Page) -> Paged[WalletEntry]:
    key = uuid_of(tx.org_id), uuid_of(of.account_id)
    rows = await tx.fetch(Q.wallet_history, *key, page.after, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_wallet_history, *key, COUNTED_MAX)
    lines = [row_to_wallet_entry(row, of.currency) for row in rows]
    return paged(lines, page, total_count=count)
