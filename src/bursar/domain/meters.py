"""Meters: what is counted, and how the events of a period become one quantity.

Aggregation is over the set of events: the order in which they arrive changes nothing. A meter's
meaning never changes once it exists, since what was counted cannot be counted anew.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.events import MeterCreated
from bursar.domain.ids import MeterId
from bursar.domain.refusals import InvalidInput
from bursar.domain.times import Instant

THRESHOLDS_MAX: Final = 10


class Aggregation(StrEnum):
    """How events become a quantity."""

    SUM = "sum"
    COUNT = "count"
    MAX = "max"
    UNIQUE = "unique"  # how many different values
    LATEST = "latest"  # the value of the event that happened last


class Meter(Struct, frozen=True):
    """Something that is counted; `property_name` is where an event says the value.

    Without a property the value is the event's quantity. Each threshold is told once a period.
    """

    id: MeterId
    name: str
    key: str
    aggregation: Aggregation
    property_name: str | None
    thresholds: tuple[int, ...]
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant


def define(meter: Meter) -> Change:
    """A new meter.

    Raises:
        InvalidInput: the aggregation and the property do not go together.
    """
    if meter.aggregation is Aggregation.UNIQUE and meter.property_name is None:
        raise InvalidInput.at("property", "says what has to differ", "required")
    if meter.aggregation is Aggregation.COUNT and meter.property_name is not None:
        raise InvalidInput.at("property", "means nothing to a count of events", "aggregation")
    if list(meter.thresholds) != sorted(set(meter.thresholds)):
        raise InvalidInput.at("thresholds", "must rise", "order")
    return Change(rows=(meter,), events=(MeterCreated(meter),))
