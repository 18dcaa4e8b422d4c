"""Lets months of the event log go that were written to files. Runs as the owner of the tables.

The application itself can take nothing out of the log, whatever it is made to run.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from msgspec import Struct

from bursar.domain.ids import OrgId, print_id, uuid_of
from bursar.domain.times import Period
from bursar.runtime import sql

Q = sql.beside(__file__)


class MonthStays(Exception):
    """The month cannot go yet; the text says why."""


class ArchiveFile(Struct, frozen=True):
    """What one organization told in a month, in a file."""

    org_id: OrgId
    link_count: int
    digest: bytes


class Archivist:
    """The owner's hand on the log."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._connection = connection

    async def told_in(self, month: Period) -> list[OrgId]:
        """Who told something in a month."""
        rows = await self._connection.fetch(Q.told_in_month.text, month.start, month.end)
        return [OrgId(print_id("org", row["org_id"])) for row in rows]

    async def let_go(self, month: Period, files: Sequence[ArchiveFile]) -> None:
        """Take the month out of the database.

        Raises:
            MonthStays: it is not over, some of it waits, or the files hold something else.
        """
        try:
            await self._connection.execute(
                Q.let_go.text,
                month.start.date(),
                [uuid_of(file.org_id) for file in files],
                [file.link_count for file in files],
                [file.digest for file in files],
            )
        except asyncpg.RaiseError as refused:
            raise MonthStays(str(refused)) from None


@asynccontextmanager
async def archivist(owner_url: str) -> AsyncIterator[Archivist]:
    """The owner, at the log, until the end of the block."""
    connection = await asyncpg.connect(owner_url)
    try:
        yield Archivist(connection)
    finally:
        await connection.close()
