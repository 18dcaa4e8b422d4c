"""The deliveries that are on their way in this process: many at once, few to each endpoint.

Nobody waits for anybody: whoever comes home makes room for the next one at once, so an endpoint
that hangs holds its own two sockets and nothing else. Whose turn it is, the database says.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from bursar.domain.access import System
from bursar.domain.ids import DeliveryId, OrgId
from bursar.flows.deliver_webhook import deliver_webhook
from bursar.runtime import doors
from bursar.runtime.app import App, Caller
from bursar.runtime.doors import Claim
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
        self._turn = asyncio.Lock()  # of two who look for work at once, each sees the other's
        self._gate = asyncio.Semaphore(_AT_THE_DATABASE)
        self.bell = asyncio.Event()

    async def go_round(self) -> bool:
        """Send out whoever can go."""
        await self.set_out()
        return False

    async def set_out(self) -> bool:
        """Send out as many as there is room and work for; says whether there was any."""
        async with self._turn:
            claim = self._claim()
            if claim.limit == 0:
                return False
            async with self._app.database.machine() as connection:
                claimed = await doors.claim_deliveries(connection, claim)
            return self._send(claimed, claim.token)

    async def pass_on(self, limit: int) -> int:
        """Pass on so many events of the log, and send out whoever can go then, with one commit.

        How many there were, or -1 when a running transaction holds all of them back.
        """
        async with self._turn:
            claim = self._claim()
            async with self._app.database.machine() as connection:
                count, claimed = await doors.pass_on(connection, limit, claim)
            self._send(claimed, claim.token)
            return count

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

    def _claim(self) -> Claim:
        return Claim(new_uuid(), self._at_once - len(self._out), PER_ENDPOINT, LEASE)

    def _send(self, claimed: Sequence[tuple[OrgId, DeliveryId]], lease: UUID) -> bool:
        """Send these out, and have it looked a moment later whether somebody was left.

        Not at once: a claim that finds nothing is in the way of those who only just set out.
        """
        for org_id, delivery_id in claimed:
            one = asyncio.create_task(self._deliver(org_id, delivery_id, lease))
            self._out.add(one)
            one.add_done_callback(self._came_home)
        if claimed:
            asyncio.get_running_loop().call_later(_LEFT_SECONDS, self.bell.set)
        return bool(claimed)

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
