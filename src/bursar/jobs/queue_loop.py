"""The loop over the queues: claims what is due, runs it, settles it, and says that it lives.

Each queue is worked by at most as many jobs at once as its rule allows. A job whose claim another
worker took over is dropped here: its token opens nothing any more. Told to stop, the loop claims no
more, lets what runs finish for a while, and hands the rest back, so that no attempt is lost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec import Struct
from opentelemetry.trace import Tracer

from bursar.domain.refusals import Refusal, TaskSuperseded
from bursar.domain.tasks import QUEUE_RULES, Queue
from bursar.runtime import clock, logging, tracing
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.db import Database
from bursar.runtime.logging import get_log
from bursar.runtime.queue import Claimed, TaskQueue, Verdict
from bursar.runtime.telemetry import Telemetry

_POLL_SECONDS: Final = 1.0
_HEARTBEAT_SECONDS: Final = 8.0  # a third of what makes a job stale, and some
_AWAY_SECONDS: Final = 0.5
_FINISH_SECONDS: Final = 5.0
_DEADLINE_SECONDS: Final = 60.0

log = get_log()


class JobOverdue(Exception):
    """A job ran past its deadline and was cut off, so that its hands are free for others."""


class Running(Struct, frozen=True):
    """A job in hand and the task that runs it."""

    job: Claimed
    task: "asyncio.Task[None]"


class QueueLoop:
    """One process's share of the queues. `bell` wakes it; whoever has left work rings."""

    def __init__(
        self,
        queue: TaskQueue,
        database: Database,
        telemetry: Telemetry,
        act: Callable[[Claimed], Awaitable[None]],
        tracer: Tracer | None = None,
    ) -> None:
        self.bell = asyncio.Event()
        self._queue = queue
        self._database = database
        self._telemetry = telemetry
        self._act = act
        self._tracer = tracer
        self._stopping = asyncio.Event()
        self._running: dict[int, Running] = {}

    def stop(self) -> None:
        """Claim no more; `run` returns when what runs is finished or handed back."""
        self._stopping.set()
        self.bell.set()

    async def run(self) -> None:
        """Until `stop`."""
        beating = asyncio.create_task(self._beat())
        try:
            while not self._stopping.is_set():
                self.bell.clear()
                if not await self._claim_everywhere():
                    await self._wait()
            await self._finish()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _claim_everywhere(self) -> bool:
        try:
            found = [await self._claim(queue) for queue in Queue]
        except DatabaseAway as away:
            log.warning("worker.database_away", reason=str(away))
            await asyncio.sleep(_AWAY_SECONDS)
            return False
        return any(found)

    async def _claim(self, queue: Queue) -> bool:
        """Take as many jobs of a queue as there are hands free for it."""
        busy = sum(one.job.queue is queue for one in self._running.values())
        free = QUEUE_RULES[queue].concurrency - busy
        if free <= 0:
            return False
        async with self._database.machine() as connection:
            jobs = await self._queue.claim(connection, queue, limit=free)
        for job in jobs:
            task = asyncio.create_task(self._work(job), name=f"job:{job.claim.job_id}")
            self._running[job.claim.job_id] = Running(job, task)
        return bool(jobs)

    async def _work(self, job: Claimed) -> None:
        started, outcome = clock.monotonic(), "canceled"
        kind = type(job.task).__name__
        try:
            with (
                tracing.job(self._tracer, name=f"job {kind}", traceparent=job.traceparent) as told,
                logging.bound(
                    job_id=job.claim.job_id, task=kind, org_id=job.org_id, **tracing.names()
                ),
            ):
                outcome = await self._attempt(job)
                if told is not None:
                    told.set_attribute("bursar.outcome", outcome)
                _tell(job, outcome, clock.monotonic() - started)
        finally:
            self._running.pop(job.claim.job_id, None)
            seconds = clock.monotonic() - started
            self._telemetry.job(queue=job.queue.value, task=kind, outcome=outcome, seconds=seconds)
            self.bell.set()

    async def _attempt(self, job: Claimed) -> str:
        """Run it and settle it; how it ended."""
        try:
            await self._act_in_time(job)
        except TaskSuperseded:
            log.warning("job.superseded")
            return "lost"
        except (Refusal, DatabaseAway, JobOverdue) as expected:
            return await self._fail(job, expected)
        except Exception as fault:
            self._telemetry.unhandled(where="worker")
            log.exception("job.crashed", reason=str(fault))
            return await self._fail(job, fault)
        await self._database.insist(lambda: self._complete(job))
        return "done"

    async def _act_in_time(self, job: Claimed) -> None:
        deadline = asyncio.timeout(_DEADLINE_SECONDS)
        try:
            async with deadline:
                await self._act(job)
        except TimeoutError:
            if not deadline.expired():
                raise  # the job's own
            raise JobOverdue(f"not done within {_DEADLINE_SECONDS:g} s") from None

    async def _complete(self, job: Claimed) -> None:
        async with self._database.machine() as connection:
            await self._queue.complete(connection, job.claim)

    async def _fail(self, job: Claimed, error: Exception) -> str:
        self._telemetry.job_failed(queue=job.queue.value, task=type(job.task).__name__)
        verdict = Verdict.LOST

        async def settle() -> None:
            nonlocal verdict
            async with self._database.machine() as connection:
                verdict = await self._queue.fail(connection, job, error)

        # A job that is left silent comes back as stale, and would count a death it did not die.
        await self._database.insist(settle)
        log.warning("job.failed", verdict=verdict.value, reason=str(error))
        return verdict.value

    async def _beat(self) -> None:
        """Say of every running job that it is worked on; drop those that are ours no more."""
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            held = {one.job.claim: one.task for one in self._running.values()}
            if not held:
                continue
            try:
                async with self._database.machine() as connection:
                    kept = await self._queue.heartbeat(connection, held)
            except DatabaseAway:
                continue
            for claim in held.keys() - kept:
                held[claim].cancel()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_SECONDS):
                await self.bell.wait()

    async def _finish(self) -> None:
        running = list(self._running.values())
        if not running:
            return
        await asyncio.wait([one.task for one in running], timeout=_FINISH_SECONDS)
        for one in running:
            if not one.task.done():
                one.task.cancel()
                await asyncio.gather(one.task, return_exceptions=True)
                await self._hand_back(one.job)

    async def _hand_back(self, job: Claimed) -> None:
        with suppress(DatabaseAway):
            async with self._database.machine() as connection:
                await self._queue.hand_back(connection, job.claim)
        log.info("job.handed_back", job_id=job.claim.job_id)


def _tell(job: Claimed, outcome: str, seconds: float) -> None:
    """The one line that says how a job went."""
    log.info(
        "job.ended",
        queue=job.queue.value,
        outcome=outcome,
        duration_ms=round(seconds * 1000, 1),
        attempts=job.attempts + 1,
        deaths=job.deaths,
    )
