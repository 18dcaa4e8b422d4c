"""What a process tells of itself: its loop, what it uses, and who was here lately."""

import asyncio
import time

from tests.runtime.test_telemetry import read

from bursar.runtime.pulse import SeenSessions, keep_pulse
from bursar.runtime.telemetry import Telemetry


async def test_a_blocked_loop_is_told() -> None:
    # Whoever blocks the loop for a while is seen as lag; memory and files are those of a process.
    telemetry = Telemetry(version="1", part="worker")
    beating = asyncio.create_task(keep_pulse(telemetry, SeenSessions(), every_seconds=0.02))
    await asyncio.sleep(0.03)
    _block()
    await asyncio.sleep(0.001)
    beating.cancel()
    found = read(telemetry.exposition())
    assert found["event_loop_lag_seconds{part=worker}"] > 0.05
    assert found["event_loop_tasks{part=worker}"] >= 2
    assert found["process_resident_memory_bytes{part=worker}"] > 1_000_000
    assert found["process_open_fds{part=worker}"] > 3
    assert found["process_cpu_seconds_total{part=worker}"] > 0


def _block() -> None:
    """Hold up the loop, as a long computation does."""
    time.sleep(0.15)


def test_a_session_is_active_for_a_quarter_of_an_hour() -> None:
    # Used again, it stays; left alone, it goes; it counts once however often it is used.
    at = [0.0]
    sessions = SeenSessions(lambda: at[0])
    sessions.see("a")
    sessions.see("b")
    sessions.see("a")
    assert sessions.count() == 2
    at[0] = 600.0
    sessions.see("b")
    at[0] = 901.0
    assert sessions.count() == 1
    at[0] = 1_600.0
    assert sessions.count() == 0
