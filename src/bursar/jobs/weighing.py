"""Weighs everybody's money for the metrics: some organizations a round, in turn.

What was weighed of the others stands until their turn comes again, so a round is short however many
there are, and a sum is at most some rounds old.
"""

from collections import Counter, deque
from typing import Final

from bursar.domain.access import System
from bursar.domain.ids import OrgId
from bursar.reads.gauges import Weighed, weighed
from bursar.runtime import doors
from bursar.runtime.app import App, Caller
from bursar.runtime.ids import new_uuid

_AT_ONCE: Final = 200


class Scales:
    """Remembers what each organization weighed last, and tells the sums."""

    def __init__(self, app: App, at_once: int = _AT_ONCE) -> None:
        self._app = app
        self._at_once = at_once
        self._turns: deque[OrgId] = deque()
        self._last: dict[OrgId, Weighed] = {}
        self._told: set[tuple[str, str]] = set()

    @property
    def known(self) -> frozenset[OrgId]:
        """Who was weighed already."""
        return frozenset(self._last)

    async def weigh(self) -> bool:
        """One round; it is never a reason to come back at once."""
        if not self._turns:
            await self._line_up()
        for _ in range(min(self._at_once, len(self._turns))):
            org_id = self._turns.popleft()
            caller = Caller(
                app=self._app,
                org_id=org_id,
                actor=System("worker"),
                request_id=str(new_uuid()),
            )
            self._last[org_id] = await caller.look(weighed)
        self._tell()
        return False

    async def _line_up(self) -> None:
        async with self._app.database.machine() as connection:
            found = await doors.org_ids(connection)
        self._turns.extend(found)
        for gone in self._last.keys() - set(found):
            del self._last[gone]

    def _tell(self) -> None:
        wallets: Counter[str] = Counter()
        imbalance: Counter[str] = Counter()
        waiting: Counter[tuple[str, str]] = Counter()
        for one in self._last.values():
            wallets.update(one.wallets)
            # Two organizations that are wrong by the same amount are two faults, not none.
            imbalance.update({each: abs(minor) for each, minor in one.imbalance.items()})
            waiting.update(one.waiting)
        self._told |= waiting.keys()
        telemetry = self._app.telemetry
        telemetry.books(wallets=wallets, imbalance=imbalance)
        telemetry.money_waiting({each: waiting[each] for each in self._told})
