"""Rows of meters: written once, since what they mean never changes."""

from bursar.domain.ids import uuid_of
from bursar.domain.meters import Meter
from bursar.domain.refusals import MeterKeyTaken
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def count(tx: Tx) -> int:
    """How many meters the organization has."""
    return int(await tx.fetchval(Q.count_meters, uuid_of(tx.org_id)))


async def save(tx: Tx, row: Meter) -> None:
    """Insert the only version there is.

    Raises:
        MeterKeyTaken: another meter of this organization has the key.
    """
    assert row.version == 1, "a meter does not change"
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.name,
        row.key,
        row.aggregation.value,
        row.property_name,
        list(row.thresholds),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    if not await tx.execute(Q.insert_meter, *values):
        raise MeterKeyTaken(f"Another meter has the key {row.key}.")
