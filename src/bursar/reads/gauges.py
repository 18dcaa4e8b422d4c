"""What is watched of one organization's money: sums by currency, and no name of anybody.

Numbers for dashboards and alerts; whoever needs to know why looks at the books themselves.
"""

from collections.abc import Mapping

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class Weighed(Struct, frozen=True):
    """Minor units by currency; what waits, by kind and currency."""

    wallets: Mapping[str, int]
    imbalance: Mapping[str, int]
    waiting: Mapping[tuple[str, str], int]


@query(requires=Permission.LEDGER_READ)
async def weighed(tx: ReadTx) -> Weighed:
    """What the wallets have, how far the books are from zero, and what waits to be settled."""
    org_id = uuid_of(tx.org_id)
    books = await tx.fetch(Q.books, org_id)
    waiting = await tx.fetch(Q.waiting, org_id)
    return Weighed(
        wallets={row["currency"]: row["wallets_minor"] for row in books},
        imbalance={row["currency"]: row["imbalance_minor"] for row in books},
        waiting={(row["kind"], row["currency"]): row["amount_minor"] for row in waiting},
    )
