"""The deliveries that are on their way in this process: many at once, few to each endpoint.

Nobody waits for anybody: whoever comes home makes room for the next one at once, so an endpoint
that hangs holds its own two sockets and nothing else. Whose turn it is, the database says.
"""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

from bursar.domain.access import System
from bursar.domain.ids import DeliveryId, OrgId
from bursar.flows.deliver_webhook import deliver_webhook
from bursar.runtime import doors
from bursar.runtime.app import App, Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.logging import get_log

log = get_log()

AT_ONCE: Final = 256
PER_ENDPOINT: Final = 2
_AT_THE_DATABASE: Final = 6  # fewer than the pool has: others work there, too
LEASE: Final = timedelta(seconds=45)
_LEFT_SECONDS: Final = 0.02


class Couriers:
    """Carries what is due; `bell` rings whenever one is free again."""

    def __init__(self, app: App, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._at_once = at_once
        self._out: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(_AT_THE_DATABASE)
        self.bell = asyncio.Event()

    async def go_round(self) -> bool:
        """Send out whoever can go, and look a moment later whether somebody was left.

        Not at once: a claim that finds nothing is in the way of those who only just set out.
        """
        if await self.set_out():
            asyncio.get_running_loop().call_later(_LEFT_SECONDS, self.bell.set)
        return False

    async def set_out(self) -> bool:
        """Send out as many as there is room and work for; says whether there was any."""
        room = self._at_once - len(self._out)
        if room <= 0:
            return False
        lease = new_uuid()
        async with self._app.database.machine() as connection:
            claimed = await doors.claim_deliveries(
                connection, lease, limit=room, per_endpoint=PER_ENDPOINT, lease=LEASE
            )
        for org_id, delivery_id in claimed:
            one = asyncio.create_task(self._deliver(org_id, delivery_id, lease))
            self._out.add(one)
            one.add_done_callback(self._came_home)
        return bool(claimed)

    async def come_home(self) -> None:
        """Wait for everybody who is out; who is not waited for is called off.

        The lease of one who is called off runs out, and another worker takes it up.
        """
        try:
            while self._out:
                await asyncio.wait(self._out)
        finally:
            for one in self._out:
                one.cancel()

    def _came_home(self, one: asyncio.Task[None]) -> None:
        self._out.discard(one)
        self.bell.set()
        fault = None if one.cancelled() else one.exception()
        if fault is not None:  # its lease runs out, and it is tried again
            log.error("delivery.failed", reason=repr(fault))

    async def _deliver(self, org_id: OrgId, delivery_id: DeliveryId, lease: UUID) -> None:
        caller = Caller(
            app=self._app, org_id=org_id, actor=System("worker"), request_id=str(new_uuid())
        )
        await deliver_webhook(caller, delivery_id, lease, self._gate)
