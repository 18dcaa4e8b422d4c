"""PostgreSQL's programs, run for us: what they say, and what is left of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop
from tests.support.tree import command_line
from tests.support.waiting import eventually

from bursar.runtime.postgres_commands import CommandStuck, run

# Writes down what it started, which would hold our end of the pipe for a minute.
LINGERING = 'sleep 60 & echo $! >"$0.draft"; mv "$0.draft" "$0"; wait'


def is_gone(told: Path) -> bool:
    """Whether what the lingering program started is there no more."""
    return "sleep" not in command_line(int(told.read_text()))


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_program_runs_on_every_loop(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    # Its code, both its outputs, and nobody else may read what it writes.
    command = ("/bin/sh", "-c", "umask; echo more >&2; exit 3")
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(run(command, None, seconds=10)) == (3, "0077\nmore\n")


async def test_a_stuck_program_is_ended(tmp_path: Path) -> None:
    # It says which one took how long; what the program started ends with it.
    command = ("/bin/sh", "-c", LINGERING, str(tmp_path / "pid"))
    with pytest.raises(CommandStuck, match=r"^sh took longer than 1 s\.$"):
        await run(command, None, seconds=1)
    await eventually(lambda: is_gone(tmp_path / "pid"))


async def test_who_is_canceled_leaves_nothing(tmp_path: Path) -> None:
    # A stop in the middle ends the program and what it started.
    command = ("/bin/sh", "-c", LINGERING, str(tmp_path / "pid"))
    running = asyncio.create_task(run(command, None, seconds=60))
    await eventually((tmp_path / "pid").exists)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await eventually(lambda: is_gone(tmp_path / "pid"))
