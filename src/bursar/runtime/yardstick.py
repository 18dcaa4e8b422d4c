"""The least that PostgreSQL can be asked, to measure the rest of an installation by.

A commit is made durable as every other: it waits for the disk, and for a standby if commits do. It
writes a message into the log that nobody reads, and no row.
"""

from bursar.runtime import sql
from bursar.runtime.db import Database

Q = sql.beside(__file__)


async def round_trip(database: Database) -> None:
    """Ask nothing, and hear it.

    Raises:
        DatabaseAway: it cannot be asked.
    """
    async with database.machine() as connection:
        await connection.fetchval(Q.round_trip.text)


async def durable_commit(database: Database) -> None:
    """Commit something that must not be lost.

    Raises:
        DatabaseAway: it cannot be asked.
    """
    async with database.machine() as connection:
        await connection.fetchval(Q.durable_commit.text)
