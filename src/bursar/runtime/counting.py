"""How many rows a list has in all, asked of the database only where nobody knows it yet."""

from collections.abc import Sequence

from bursar.domain.paging import Page
from bursar.runtime.db import ReadTx
from bursar.runtime.sql import Query


async def total_count(
    tx: ReadTx, page: Page, rows: Sequence[object], counting: Query, *arguments: object
) -> int:
    """The rows that the same filters leave, at most `COUNTED_MAX`; 0 where nobody counts.

    A page that shows the last row has told it: a search that finds little or nothing walks through
    all there is once, not twice.
    """
    if page.is_cursor:
        return 0
    known = page.count_with(len(rows))
    counted: int = await tx.fetchval(counting, *arguments) if known is None else known
    return counted
