"""Meters: define."""

from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import MeterId
from bursar.domain.meters import Aggregation, Meter, define
from bursar.domain.refusals import LimitReached
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import meters
from bursar.store.apply import apply

METERS_MAX: Final = 1_000


class DefineMeter(Struct, frozen=True, kw_only=True):
    """What to count, and how."""

    name: str
    key: str
    aggregation: Aggregation
    property_name: str | None = None
    thresholds: tuple[int, ...] = ()


@operation(requires=Permission.PLAN_WRITE)
async def define_meter(tx: Tx, command: DefineMeter) -> Meter:
    """A new meter, which means the same for ever.

    Raises:
        InvalidInput: the aggregation and the property do not go together.
        MeterKeyTaken: another meter has the key.
        LimitReached: too many meters.
    """
    if await meters.count(tx) >= METERS_MAX:
        raise LimitReached(f"An organization has at most {METERS_MAX} meters.")
    meter = Meter(
        id=MeterId(tx.new_id("mtr")),
        name=command.name,
        key=command.key,
        aggregation=command.aggregation,
        property_name=command.property_name,
        thresholds=command.thresholds,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    written = (await apply(tx, define(meter)))[meter.id]
    assert isinstance(written, Meter)
    return written
