"""Storms of kill -9 over a running installation, and the calm in which everything comes to rest."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from tests.support.tree import Part, Tree

from bursar.runtime.embedded import EmbeddedPostgres

_SETTLE_SECONDS: Final = 150
_PAUSES: Final = (1.0, 3.0)
_UNSETTLED: Final = """
    SELECT
        (SELECT count(*) FROM payments
            WHERE status IN ('pending', 'requires_action', 'processing')) AS open_payments,
        (SELECT count(*) FROM transfers WHERE status = 'DEBITED') AS open_transfers,
        (SELECT count(*) FROM provider_events WHERE handled_at IS NULL) AS unhandled_events,
        (SELECT count(*) FROM queue.pgqueuer WHERE status <> 'failed') AS jobs,
        (SELECT count(*) FROM queue.pgqueuer WHERE status = 'failed') AS dead_letters
"""


@dataclass
class Storm:
    """Kills parts of a tree at random, each only when it has come back since the last time."""

    tree: Tree
    chance: random.Random
    parts: tuple[Part, ...] = tuple(Part)
    pauses: tuple[float, float] = _PAUSES
    kills: list[tuple[float, Part]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    async def rage(self, seconds: float) -> None:
        while time.monotonic() - self.started < seconds:
            await asyncio.sleep(self.chance.uniform(*self.pauses))
            await self.strike()

    async def strike(self) -> bool:
        """Kill one of those who are up; whether there was one."""
        targets = await self._targets()
        if not targets:
            return False
        part, pid = self.chance.choice(targets)
        if not self.tree.kill(part, pid):
            return False
        self.kills.append((time.monotonic() - self.started, part))
        return True

    async def _targets(self) -> list[tuple[Part, int]]:
        """Whoever is up. The API counts as up when it answers, so that it gets to do some work."""
        parts: list[Part] = [part for part in self.parts if part is not Part.API]
        if Part.API in self.parts and await self.tree.is_healthy():
            parts.append(Part.API)
        return [(part, pid) for part in parts for pid in self.tree.pids(part)]

    def told(self) -> str:
        counts = Counter(part for _, part in self.kills)
        each = ", ".join(f"{counts[part]} × {part}" for part in Part)
        when = " ".join(f"{at:.0f}{part[0]}" for at, part in self.kills)
        return f"{len(self.kills)} kills ({each}) at seconds {when}"


async def settled(tree: Tree) -> dict[str, int]:
    """Wait until nothing is left to do; what is left after the patience."""
    postgres = EmbeddedPostgres(tree.postgres_dir)
    urls = await postgres.ensure_running()
    left: dict[str, int] = {}
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        connection = await asyncpg.connect(urls.owner.reveal())
        row = await connection.fetchrow(_UNSETTLED)
        await connection.close()
        assert row is not None
        left = {name: count for name, count in row.items() if count}
        if not left:
            break
        await asyncio.sleep(0.5)
    await postgres.release()
    return left
