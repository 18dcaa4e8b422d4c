"""A worker loop that stands in until the machinery's own is there."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bursar.domain.tasks import QUEUE_RULES, Queue
from bursar.runtime.db import Database, DatabaseAway
from bursar.runtime.logging import get_log
from bursar.runtime.queue import Claimed, TaskQueue

log = get_log()


class Worker:
    """Claims jobs and runs them until told to stop."""

    def __init__(
        self, queue: TaskQueue, database: Database, act: Callable[[Claimed], Awaitable[None]]
    ) -> None:
        self.bell = asyncio.Event()
        self._queue, self._database, self._act = queue, database, act
        self._stopping = False
        self._running: dict[Queue, set[asyncio.Task[None]]] = {queue: set() for queue in Queue}

    def stop(self) -> None:
        """Claim no more; finish what runs."""
        self._stopping = True
        self.bell.set()

    async def run(self) -> None:
        """Until `stop`."""
        while not self._stopping:
            self.bell.clear()
            try:
                found = sum([await self._claim(queue) for queue in Queue])
            except DatabaseAway:
                found = 0
                await asyncio.sleep(0.5)
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.bell.wait(), 0.5)
        await asyncio.gather(*(task for tasks in self._running.values() for task in tasks))

    async def _claim(self, queue: Queue) -> int:
        free = QUEUE_RULES[queue].concurrency - len(self._running[queue])
        if free <= 0:
            return 0
        async with self._database.machine() as connection:
            jobs = await self._queue.claim(connection, queue, limit=free)
        for job in jobs:
            task = asyncio.create_task(self._one(job))
            self._running[queue].add(task)
            task.add_done_callback(self._running[queue].discard)
        return len(jobs)

    async def _one(self, job: Claimed) -> None:
        try:
            await self._act(job)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is tried again
            fault = error
            log.warning("job.failed", reason=str(fault))
            await self._settle(lambda connection: self._queue.fail(connection, job, fault))
        else:
            await self._settle(lambda connection: self._queue.complete(connection, job.claim))
        self.bell.set()

    async def _settle(self, act: Callable[..., Awaitable[object]]) -> None:
        with suppress(DatabaseAway):
            async with self._database.machine() as connection:
                await act(connection)
