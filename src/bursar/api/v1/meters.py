"""`/v1/meters`: what is counted."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bursar.api.envelope import changed, created, resource
from bursar.api.fields import Body, MeterKey, NoQuery, PropertyName, ShortText
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import MeterId
from bursar.domain.meters import THRESHOLDS_MAX, Aggregation
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.refusals import LimitReached, MeterKeyTaken, NotFound
from bursar.domain.shapes.meters import MeterOut
from bursar.operations.meters import DefineMeter, define_meter
from bursar.reads.meters import meter as meter_look
from bursar.reads.meters import meters as meters_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Meters", prefix="/v1/meters", about="What is counted, and how it is added up.")

Threshold = Annotated[int, Meta(ge=1, le=AMOUNT_MAX, examples=[10_000])]


class NewMeter(Body, frozen=True):
    """A meter to define; `property` says where an event tells its value, if not in `quantity`."""

    name: ShortText
    key: MeterKey
    aggregation: Aggregation
    property: PropertyName | None = None
    thresholds: Annotated[list[Threshold], Meta(max_length=THRESHOLDS_MAX)] = msgspec.field(
        default_factory=list
    )

    def to_command(self) -> DefineMeter:
        """What it asks for."""
        return DefineMeter(
            name=self.name,
            key=self.key,
            aggregation=self.aggregation,
            property_name=self.property,
            thresholds=tuple(self.thresholds),
        )


class MeterQuery(ListQuery, frozen=True):
    """Which meters."""

    key: MeterKey | None = None


@ROOM.post(
    "",
    Terms(
        needs=Permission.PLAN_WRITE,
        takes=NewMeter,
        gives=MeterOut,
        status=201,
        refuses=(MeterKeyTaken, LimitReached),
    ),
)
async def create_meter(call: Call[NewMeter, NoQuery]) -> Answer:
    """Define a meter.

    `sum` adds the values up, `count` counts events, `max` takes the largest value, `unique` counts
    different values, `latest` takes the value of the event that happened last. A meter never
    changes. Each of the `thresholds` raises `usage.threshold_reached` once a period.
    """
    command = call.body.to_command()
    return await changed(call.caller, define_meter, command, created(MeterOut.of, ROOM.prefix))


@ROOM.get("", Terms(needs=Permission.PLAN_READ, gives=MeterOut, is_list=True, query=MeterQuery))
async def list_meters(call: Call[None, MeterQuery]) -> Answer:
    """List meters, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(meters_look, page, call.query.key)
    return piece(call.caller, page, shown, MeterOut.of)


@ROOM.get("/{meterId}", Terms(needs=Permission.PLAN_READ, gives=MeterOut, refuses=(NotFound,)))
async def get_meter(call: Call[None, NoQuery]) -> Answer:
    """Get a meter."""
    return resource(MeterOut.of(await call.caller.look(meter_look, _id(call))))


def _id(call: Call[Any, Any]) -> MeterId:
    return MeterId(call.id("meterId"))
