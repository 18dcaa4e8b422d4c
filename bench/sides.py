"""Two servers under one load, in turns: limit, ours, ours, limit; several rounds."""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from bench.load import Load, Measured, generate
from bench.place import Server
from bench.report import Round


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 3.0
    connections: int = 16
    requests_max: int = 200_000
    history: int = 100_000
    servers: int = os.cpu_count() or 1  # of each side, so that both have the machine

    def shown(self) -> dict[str, object]:
        """The same, for the report."""
        return {
            "rounds": self.rounds,
            "seconds": self.seconds,
            "connections": self.connections,
            "servers": self.servers,
            "history_invoices": self.history,
        }


@dataclass(slots=True)
class Side:
    """One server and its load, with everything that was measured of it."""

    server: Server
    load: Load
    measured: list[Measured] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    good: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    async def warm(self) -> None:
        """Run a moment; only what it wrote, and what went wrong, is remembered."""
        self._count(await generate(msgspec.structs.replace(self.load, seconds=1.0)))

    async def measure(self) -> float:
        """Good answers a second."""
        before = self.server.cpu_seconds
        seen = await generate(self.load)
        self._count(seen)
        self.measured.append(seen)
        used = self.server.cpu_seconds - before
        self.cpu_ms.append(1000 * used / max(seen.good, 1))
        return seen.rate

    def shown(self) -> dict[str, object]:
        """Waits, and what an answer costs, measurement by measurement."""
        return {
            "answers": self.good,
            "faults": dict(self.faults),
            "p50_ms": [round(seen.p50_ms, 2) for seen in self.measured],
            "p99_ms": [round(seen.p99_ms, 2) for seen in self.measured],
            "server_cpu_ms_per_answer": [round(each, 3) for each in self.cpu_ms],
            "generator_cpu": [round(seen.generator_cpu, 2) for seen in self.measured],
        }

    def _count(self, seen: Measured) -> None:
        self.good += seen.good
        self.faults.update(seen.bad)


class Measurable(Protocol):
    """Whatever can be put under load."""

    async def warm(self) -> None:
        """Run a moment."""

    async def measure(self) -> float:
        """How much it gets through in a second."""
        ...


async def take_turns(
    ours: Measurable, limit: Measurable, *, rounds: int, before_each: Callable[[], Awaitable[None]]
) -> list[Round]:
    """Limit, ours, ours, limit, so that a machine that slows down slows both."""
    await limit.warm()
    await ours.warm()
    seen = []
    for _ in range(rounds):
        await before_each()
        rates = [await side.measure() for side in (limit, ours, ours, limit)]
        seen.append(Round(ours=(rates[1] + rates[2]) / 2, limit=(rates[0] + rates[3]) / 2))
    return seen
