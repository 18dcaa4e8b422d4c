"""`bursar bench`: how fast this installation is, where it stands and as it is set.

It measures what everything else is made of, for a second each, and changes nothing: no row is
written and nobody outside is asked. The benches of the repository, `make bench`, measure Bursar
beside its limits instead, on a database of their own.
"""

import asyncio
import math
import statistics
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Final

import aiohttp
import typer
from msgspec import Struct

from bursar.cli.desk import desk, operator
from bursar.cli.output import Output, Quiet, say, show_list
from bursar.cli.telling import told
from bursar.reads.orgs import organization
from bursar.runtime import doors
from bursar.runtime.app import App
from bursar.runtime.clock import monotonic
from bursar.runtime.yardstick import durable_commit, round_trip

_COLUMNS: Final = ("measure", "atOnce", "count", "medianMs", "p95Ms", "perSecond", "means")
_AT_ONCE: Final = 8
_COUNT_MIN: Final = 3
_COUNT_MAX: Final = 100_000
_P95: Final = 0.95
_PROBE_SECONDS: Final = 5.0
_OK: Final = 200
_API: Final = "request"

Act = Callable[[], Awaitable[object]]


class Measure(Struct, frozen=True):
    """Something that is done again and again, and what its time says."""

    name: str
    means: str
    act: Act
    at_once: int = 1


class Measured(Struct, frozen=True):
    """How long it took each time, and all of it together."""

    measure: Measure
    seconds: Sequence[float]
    whole: float

    def row(self) -> dict[str, object]:
        """As it is printed."""
        ordered = sorted(self.seconds)
        last = math.ceil(len(ordered) * _P95) - 1
        return {
            "measure": self.measure.name,
            "atOnce": self.measure.at_once,
            "count": len(ordered),
            "medianMs": _ms(statistics.median(ordered)),
            "p95Ms": _ms(ordered[last]),
            "perSecond": round(len(ordered) / self.whole, 1),
            "means": self.measure.means,
        }


def measure_installation(
    context: typer.Context,
    *,
    seconds: Annotated[
        float, typer.Option(min=0.05, max=60.0, help="How long each measure takes.")
    ] = 1.0,
    output: Output = None,
    quiet: Quiet = False,
) -> None:
    """Measure this installation's database, disk, passwords and API; nothing is changed."""
    at = desk(context)
    url = f"http://127.0.0.1:{at.settings.port}/health"
    found = at.with_app(partial(_measured, url, seconds, is_quiet=quiet))
    show_list([each.row() for each in found], _COLUMNS, output)
    if all(each.measure.name != _API for each in found):
        say(f"the API is not measured: nobody is well at {url}", is_quiet=quiet)


async def _measured(url: str, seconds: float, app: App, *, is_quiet: bool) -> list[Measured]:
    timeout = aiohttp.ClientTimeout(total=_PROBE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        measures = await _measures(app, session, url)
        with told("measures", len(measures), is_quiet=is_quiet) as teller:
            found = []
            for measure in measures:
                found.append(await timed(measure, seconds))
                teller.done(1)
            return found


async def _measures(app: App, session: aiohttp.ClientSession, url: str) -> list[Measure]:
    """What there is to measure: a look needs an organization, a request an API that runs."""
    trip, commit = partial(round_trip, app.database), partial(durable_commit, app.database)
    found = [
        Measure("round trip", "to PostgreSQL and back", trip),
        Measure("commit", "waits for the disk, and for a backup that commits wait for", commit),
        Measure("commits at once", "share their waits", commit, at_once=_AT_ONCE),
    ]
    async with app.database.machine() as connection:
        orgs = await doors.org_ids(connection)
    if orgs:
        caller = operator(app, orgs[0])
        look = partial(caller.look, organization)
        found.append(Measure("look", "an organization read under its own policy", look))
    hashing = partial(app.passwords.hash, "nobody's: only the time counts")
    found.append(Measure("password", "what a sign-in costs, slow on purpose", hashing))
    ask = partial(_asked, session, url)
    if await ask():
        found.append(Measure(_API, "to the API, which asks PostgreSQL whether it is there", ask))
    return found


async def _asked(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether somebody is well there."""
    try:
        async with session.get(url) as answer:
            await answer.read()
            return answer.status == _OK
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False


async def timed(measure: Measure, seconds: float) -> Measured:
    """Again and again until the time is over, a few times at least."""
    took: list[float] = []
    begun = monotonic()

    async def again() -> None:
        while len(took) < _COUNT_MIN or monotonic() - begun < seconds:
            started = monotonic()
            await measure.act()
            took.append(monotonic() - started)
            if len(took) >= _COUNT_MAX:
                return

    await asyncio.gather(*(again() for _ in range(measure.at_once)))
    return Measured(measure, took, monotonic() - begun)


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 3)
