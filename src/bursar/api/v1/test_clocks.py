"""`/v1/test-clock`: the time of a sandbox organization."""

from typing import Annotated

from msgspec import Meta

from bursar.api.envelope import changed, resource
from bursar.api.fields import Body, Moment, NoQuery, Nothing
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.refusals import ClockAdvancing, ClockRunsForward, InvalidInput, SandboxOnly
from bursar.domain.shapes.test_clocks import ClockOut
from bursar.domain.test_clocks import STRIDE_PATTERN, ClockReading, ClockStatus, stride
from bursar.operations.test_clocks import (
    AdvanceClock,
    FreezeClock,
    ReleaseClock,
    advance_clock,
    freeze_clock,
    release_clock,
)
from bursar.reads.test_clocks import clock_reading
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Test clock",
    prefix="/v1/test-clock",
    about="The time of a sandbox organization: stop it, and see months pass in seconds.",
)

Span = Annotated[
    str,
    Meta(
        pattern=rf"^(?:{STRIDE_PATTERN})\Z",
        max_length=20,
        extra={"expected": "expected a span such as `1 month` or `3 days`"},
        examples=["1 month"],
    ),
]


class Stop(Body, frozen=True):
    """When the time stops: now, or, where nothing has happened yet, at a moment in the past."""

    now: Moment | None = None


class Advance(Body, frozen=True):
    """Where to: `to` a moment, or `by` a span from where the clock stands."""

    to: Moment | None = None
    by: Span | None = None

    def to_command(self) -> AdvanceClock:
        """What it asks for.

        Raises:
            InvalidInput: neither, or both.
        """
        to = Moment.plainly(self.to)
        if to is not None and self.by is not None:
            raise InvalidInput.at("by", "give either `to` or `by`", "ambiguous")
        if self.by is not None:
            return AdvanceClock(stride(self.by))
        if to is None:
            raise InvalidInput.at("to", "give either `to` or `by`", "required")
        return AdvanceClock(to)


@ROOM.get("", Terms(needs=Permission.ORG_READ, gives=ClockOut))
async def get_test_clock(call: Call[None, NoQuery]) -> Answer:
    """Say what time it is for the organization, and how far its clock has come."""
    return resource(ClockOut.of(await call.caller.look(clock_reading)))


@ROOM.post(
    "",
    Terms(
        needs=Permission.TEST_CLOCK_WRITE,
        takes=Stop,
        gives=ClockOut,
        status=201,
        refuses=(SandboxOnly, ClockRunsForward),
    ),
)
async def stop_test_clock(call: Call[Stop, NoQuery]) -> Answer:
    """Stop the organization's time.

    From then on it moves only when it is advanced. An organization in which nothing has happened
    yet may begin in the past.
    """
    command = FreezeClock(Moment.plainly(call.body.now))
    return await changed(call.caller, freeze_clock, command, _stopped)


@ROOM.post(
    "/advance",
    Terms(
        needs=Permission.TEST_CLOCK_WRITE,
        takes=Advance,
        gives=ClockOut,
        status=202,
        refuses=(SandboxOnly, ClockAdvancing, ClockRunsForward),
    ),
)
async def advance_test_clock(call: Call[Advance, NoQuery]) -> Answer:
    """Send the organization's time ahead, 24 months at most.

    Everything due on the way is done in order, as if the time had passed: renewals, trials,
    retries, mails, webhooks. It has arrived when `status` is `ready`. Real time is stopped first.
    """
    return await changed(call.caller, advance_clock, call.body.to_command(), _sent)


@ROOM.post(
    "/release",
    Terms(needs=Permission.TEST_CLOCK_WRITE, takes=Nothing, gives=ClockOut, refuses=(SandboxOnly,)),
)
async def release_test_clock(call: Call[Nothing, NoQuery]) -> Answer:
    """Return the organization to real time, wherever its clock is."""
    return await changed(call.caller, release_clock, ReleaseClock(), _shown)


def _shown(reading: ClockReading) -> Answer:
    return resource(ClockOut.of(reading))


def _stopped(reading: ClockReading) -> Answer:
    return resource(ClockOut.of(reading), status=201, location=ROOM.prefix)


def _sent(reading: ClockReading) -> Answer:
    assert reading.clock is not None
    assert reading.clock.status is ClockStatus.ADVANCING
    return resource(ClockOut.of(reading), status=202)
