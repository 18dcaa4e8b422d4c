"""How the machine is at this moment, asked once: its clock, its workers, what is late or held."""

from msgspec import Struct

from bursar.runtime import clock, doors, sql
from bursar.runtime.db import Database

Q = sql.beside(__file__)


class Vitals(Struct, frozen=True):
    """What was seen. `skew_seconds` is how far the database's clock is ahead of ours."""

    skew_seconds: float
    workers: int
    held: int
    paused: tuple[str, ...]
    late_seconds: float
    months_ahead: int
    is_unconfirmed: bool


async def vitals(database: Database) -> Vitals:
    """Look once.

    Raises:
        DatabaseAway: it cannot be asked.
    """
    async with database.machine() as connection:
        row = await connection.fetchrow(Q.vitals.text)
        lags = await doors.lags(connection)
    assert row is not None, "it is one row, whatever is in it"
    return Vitals(
        skew_seconds=(row["told_at"] - clock.now()).total_seconds(),
        workers=row["workers"],
        held=row["held"],
        paused=tuple(row["paused"] or ()),
        late_seconds=max(lags.agenda, lags.relay),
        months_ahead=row["months_ahead"],
        is_unconfirmed=row["is_unconfirmed"],
    )
