"""`bursar clock`: the time of a sandbox organization."""

import asyncio
import sys
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bursar.cli.desk import Org, Reason, desk
from bursar.cli.failing import Misused
from bursar.cli.output import Output, Quiet, show_one
from bursar.domain.refusals import InvalidInput, Unavailable
from bursar.domain.shapes.test_clocks import ClockOut
from bursar.domain.test_clocks import ClockReading, ClockStatus, Stride, stride
from bursar.domain.times import Instant
from bursar.operations.test_clocks import (
    AdvanceClock,
    FreezeClock,
    ReleaseClock,
    advance_clock,
    freeze_clock,
    release_clock,
)
from bursar.reads.test_clocks import clock_reading
from bursar.runtime.app import Caller

group = typer.Typer(help="The time of a sandbox organization.", no_args_is_help=True)

_LOOK_SECONDS: Final = 0.25
_STUCK_LOOKS: Final = 240  # a minute in which the clock neither moved nor did less remain to do


@group.command("show")
def show_clock(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """Show what time it is for the organization."""
    reading = desk(context).ask(lambda caller: caller.look(clock_reading), org=org)
    show_one(ClockOut.of(reading), output)


@group.command("freeze")
def freeze(
    context: typer.Context,
    *,
    at: Annotated[
        str | None, typer.Option(help="In the past, in an organization yet empty.")
    ] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Stop the time."""
    command = FreezeClock(None if at is None else _instant(at, "--at"))
    reading = desk(context).ask(
        lambda caller: caller.run(freeze_clock, command), org=org, reason=reason
    )
    show_one(ClockOut.of(reading), output)


@group.command("advance")
def advance(
    context: typer.Context,
    *,
    to: Annotated[str | None, typer.Option(help="A moment: 2026-03-01T00:00:00Z.")] = None,
    by: Annotated[str | None, typer.Option(help="A span: 1 month, 3 days.")] = None,
    wait: Annotated[bool, typer.Option(help="Until it has arrived; a worker moves it.")] = True,
    org: Org = None,
    reason: Reason = None,
    quiet: Quiet = False,
    output: Output = None,
) -> None:
    """Send the time ahead; everything due on the way is done in order."""
    command = AdvanceClock(_target(to=to, by=by))

    async def act(caller: Caller) -> ClockReading:
        sent = await caller.run(advance_clock, command)
        return await _arrived(caller, is_quiet=quiet) if wait else sent

    show_one(ClockOut.of(desk(context).ask(act, org=org, reason=reason)), output)


@group.command("release")
def release(
    context: typer.Context, *, org: Org = None, reason: Reason = None, output: Output = None
) -> None:
    """Return to real time."""
    reading = desk(context).ask(
        lambda caller: caller.run(release_clock, ReleaseClock()), org=org, reason=reason
    )
    show_one(ClockOut.of(reading), output)


async def _arrived(caller: Caller, *, is_quiet: bool) -> ClockReading:
    """The reading once the clock stands again.

    Raises:
        Unavailable: nothing moves it.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, disable=is_quiet or not console.is_terminal) as bar:
        shown = bar.add_task("", total=100)
        last, same = None, 0
        while True:
            reading = await caller.look(clock_reading)
            if reading.clock is None or reading.clock.status is ClockStatus.READY:
                return reading
            state = reading.now, reading.pending
            same = same + 1 if state == last else 0
            if same > _STUCK_LOOKS:
                raise Unavailable("The clock does not move; is a worker running?")
            last = state
            told = f"{reading.now:%Y-%m-%d %H:%M} · {reading.pending} to do"
            bar.update(shown, completed=reading.clock.percent, description=told)
            await asyncio.sleep(_LOOK_SECONDS)


def _target(*, to: str | None, by: str | None) -> Instant | Stride:
    if (to is None) == (by is None):
        raise Misused("say either --to or --by.")
    if by is not None:
        return stride(by)
    assert to is not None
    return _instant(to, "--to")


def _instant(text: str, field: str) -> Instant:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput.at(field, "expected an instant such as 2026-01-31T09:30Z") from None
    if at.tzinfo is None:
        raise InvalidInput.at(field, "an instant says its zone: 2026-01-31T09:30Z")
    return at
