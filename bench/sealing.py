"""The chain over the log: what sealing costs whoever writes, and whether it keeps up.

A thousand events a second are told, with a worker's sealing beside the writers and without, in
turns; it comes round as often as a worker's does. Afterwards the chain must be where the log is.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bench.place import Place, open_place
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bench.webhooks import EVENTS, ORG
from bursar.jobs.dispatch import seal_logs
from bursar.jobs.schedule import SEALING_RESTS, Pass, keep_schedule
from bursar.main import Strangers, build
from bursar.providers.mail.letters import Letters
from bursar.providers.mail.outbox import OutboxMailer
from bursar.providers.webhook_sender import Egress, HttpWebhookSender
from bursar.runtime import logging
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import App

NAME = "sealing"
ORGS = 20
WRITERS = 4
EVENTS_PER_COMMIT = 5
EVENTS_PER_SECOND = 1_000
PACE_MIN = 0.9
EVERY_SECONDS = 5.0
TURN_SECONDS = 2 * EVERY_SECONDS
BEHIND_MAX = (EVERY_SECONDS + 2) * EVENTS_PER_SECOND


@dataclass(frozen=True, slots=True)
class Pace:
    """Events a second, and what a commit took in the mean."""

    per_second: float
    commit_seconds: float


@dataclass(slots=True)
class Log:
    """A place with organizations that tell something, and the application that seals it."""

    place: Place
    app: App
    anchors: Anchors
    writers: list["asyncpg.Connection[asyncpg.Record]"]
    orgs: list[uuid.UUID] = field(default_factory=list)
    paces: list[float] = field(default_factory=list)
    behind_by: list[int] = field(default_factory=list)

    async def turn(self, *, is_sealed: bool) -> float:
        """What a commit takes beside sealing, or without; all is sealed before and after."""
        await self.place.checkpoint()
        if not is_sealed:
            pace = await self.write(TURN_SECONDS)
        else:
            async with self.sealing():
                pace = await self.write(TURN_SECONDS)
                self.behind_by.append(await self.behind())
            self.paces.append(pace.per_second)
        await self.catch_up()
        return pace.commit_seconds

    async def write(self, seconds: float) -> Pace:
        """Tell a thousand events a second for so long."""
        began = time.perf_counter()
        waits = await asyncio.gather(*(self._write(n, began, seconds) for n in range(WRITERS)))
        told = sum(map(len, waits)) * EVENTS_PER_COMMIT
        commit = statistics.fmean(each for one in waits for each in one)
        return Pace(told / (time.perf_counter() - began), commit)

    async def _write(self, number: int, began: float, seconds: float) -> list[float]:
        """What each commit of one writer took."""
        writer, waits = self.writers[number], list[float]()
        while (now := time.perf_counter() - began) < seconds:
            due = len(waits) * EVENTS_PER_COMMIT * WRITERS / EVENTS_PER_SECOND
            await asyncio.sleep(max(due - now, 0))
            org = self.orgs[(len(waits) * WRITERS + number) % ORGS]
            set_out = time.perf_counter()
            await writer.execute(EVENTS, org, EVENTS_PER_COMMIT)
            waits.append(time.perf_counter() - set_out)
        return waits

    async def behind(self) -> int:
        """How many events the chain does not cover yet."""
        query = "SELECT (SELECT count(*) FROM events) - (SELECT count(*) FROM event_seals)"
        found: int = await self.writers[0].fetchval(query)
        return found

    @asynccontextmanager
    async def sealing(self) -> AsyncIterator[None]:
        """What a worker does for the chain, until the end of the block."""
        stopping = asyncio.Event()
        seal = partial(seal_logs, self.app, self.anchors, rest=SEALING_RESTS)
        passes = (Pass("seal", EVERY_SECONDS, seal),)
        task = asyncio.create_task(keep_schedule(self.app, passes, stopping))
        try:
            yield
        finally:
            stopping.set()
            await task

    async def catch_up(self) -> None:
        """Seal all there is."""
        while await seal_logs(self.app, self.anchors):
            pass


@asynccontextmanager
async def open_log() -> AsyncIterator[Log]:
    """The log of a place of its own."""
    logging.configure(level="warning", is_development=False)
    sender = HttpWebhookSender(Egress(is_development=True))
    strangers = Strangers({}, sender, OutboxMailer(Letters("http://localhost:3000")))
    async with open_place() as place:
        app_of = partial(build, part="worker", app_url=place.app_url, strangers=strangers)
        with TemporaryDirectory() as folder:
            async with place.superuser() as superuser, app_of(place.settings()) as app:
                writers = [await asyncpg.connect(place.superuser_url) for _ in range(WRITERS)]
                anchors = Anchors(Path(folder) / "anchors.jsonl", app.keys)
                log = Log(place, app, anchors, writers)
                log.orgs += [uuid.uuid4() for _ in range(ORGS)]
                await superuser.executemany(ORG, [(each,) for each in log.orgs])
                yield log
                await asyncio.gather(*(writer.close() for writer in writers))
    await sender.aclose()


async def bench(effort: Effort) -> Result:
    """What a commit takes beside a worker that seals, and beside none."""
    rounds = []
    async with open_log() as log:
        await log.write(effort.seconds)
        for _ in range(effort.rounds):
            waits = [await log.turn(is_sealed=each) for each in (False, True, True, False)]
            ours, limit = (waits[1] + waits[2]) / 2, (waits[0] + waits[3]) / 2
            rounds.append(Round(ours=ours, limit=limit))
        shown = await log.place.shown_settings()
    broken = []
    behind, pace = max(log.behind_by), statistics.median(log.paces)
    if behind > BEHIND_MAX:
        broken.append(f"{behind} events behind")
    if pace < EVENTS_PER_SECOND * PACE_MIN:
        broken.append(f"only {pace:.0f} events a second could be told")
    result = judged(NAME, Target(1.1, 1.03, is_most=True), rounds, unit="s", broken=broken)
    result.settings.update(orgs=ORGS, paces=log.paces, behind=log.behind_by, postgres=shown)
    return result
