"""Looks at wallets: what they have, what of it is held, and how it came and went."""

from dataclasses import dataclass

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.ids import CustomerId, WalletId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_wallet
from bursar.domain.times import Instant
from bursar.domain.wallets import Wallet, WalletStatus
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletFilters:
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
    rows = await tx.fetch(Q.wallets, org_id, page.after, page.fetched, page.offset, *wanted)
    count = 0
    if not page.is_cursor:
        count = await tx.fetchval(Q.count_wallets, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_wallet, rows)], page, total_count=count)
