"""A meter as the world sees it."""

from typing import Literal

from bursar.domain.meters import Aggregation, Meter
from bursar.domain.shapes.fields import Shape, WireInstant
from bursar.domain.times import wire_instant


class MeterOut(Shape, frozen=True, kw_only=True):
    """One meter."""

    id: str
    object: Literal["meter"] = "meter"
    name: str
    key: str
    aggregation: Aggregation
    property: str | None
    thresholds: tuple[int, ...]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, meter: Meter) -> "MeterOut":
        """The meter's shape."""
        return cls(
            id=meter.id,
            name=meter.name,
            key=meter.key,
            aggregation=meter.aggregation,
            property=meter.property_name,
            thresholds=meter.thresholds,
            version=meter.version,
            created_at=wire_instant(meter.created_at),
            updated_at=wire_instant(meter.updated_at),
        )
