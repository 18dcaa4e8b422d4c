"""Looks at transfers between wallets."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import TransferId, WalletId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_transfer
from bursar.domain.times import Instant
from bursar.domain.transfers import Transfer, TransferStatus
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class TransferFilters(Struct, frozen=True, kw_only=True):
    """Which transfers; what is None or empty filters nothing. `wallet_id` is on either end."""

    from_wallet_id: WalletId | None = None
    to_wallet_id: WalletId | None = None
    wallet_id: WalletId | None = None
    statuses: tuple[TransferStatus, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        wallets = (self.from_wallet_id, self.to_wallet_id, self.wallet_id)
        return (
            *(None if each is None else uuid_of(each) for each in wallets),
            [status.value for status in self.statuses] or None,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.WALLET_READ)
async def transfer(tx: ReadTx, transfer_id: TransferId) -> Transfer:
    """One transfer.

    Raises:
        NotFound: no such transfer in this organization.
    """
    row = await tx.fetchrow(Q.transfer, uuid_of(tx.org_id), uuid_of(transfer_id))
    if row is None:
        raise NotFound(f"No transaction {transfer_id}.")
    return row_to_transfer(row)


@query(requires=Permission.WALLET_READ)
async def transfers(tx: ReadTx, page: Page, filters: TransferFilters) -> Paged[Transfer]:
    """The transfers, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.transfers.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_transfers, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_transfer, rows)], page, total_count=count)
