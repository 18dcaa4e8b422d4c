"""The process tree with real processes: signals, deaths, crash loops, and nothing left behind."""

import asyncio
import json
import os
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bursar.runtime.clock import monotonic
from bursar.runtime.supervisor import FreePort, free_port

SUPERVISOR = """
    import asyncio, json, sys
    from pathlib import Path
    from bursar.runtime.supervisor import Child, run_tree
    from bursar.runtime.watching import changes
    plan = json.loads(sys.argv[1])
    children = [Child(name, tuple(cmd), is_once=once) for name, cmd, once in plan["children"]]
    say = lambda line: print("SAY", line, flush=True)
    watched = plan["watched"] and changes(Path(plan["watched"]), every_seconds=0.05)
    run = run_tree(children, say=say, grace_seconds=plan["grace"], changes=watched)
    sys.exit(asyncio.run(run))
"""

# Children: each appends its pid to a file of its own, so that a test knows every one there was.
STEADY = """
    import os, sys, time
    open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    time.sleep(60)
"""
STUBBORN = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    time.sleep(60)
"""
WITH_GRANDCHILD = """
    import os, subprocess, sys, time
    grandchild = subprocess.Popen(["sleep", "60"])
    open(sys.argv[1], "a").write(f"{grandchild.pid}\\n{os.getpid()}\\n")
    time.sleep(60)
"""
CRASHING = """
    import os, sys
    open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
    sys.exit(int(sys.argv[2]))
"""


class Tree:
    """A supervisor under test and the traces its children leave."""

    def __init__(self, program: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = program
        self.folder = folder

    def pids(self, name: str) -> list[int]:
        path = self.folder / name
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def has_started(self, name: str, number: int) -> bool:
        return len(self.pids(name)) == number

    def everyone(self) -> list[int]:
        return [pid for path in self.folder.iterdir() for pid in self.pids(path.name)]

    async def until(self, holds: Callable[[], bool], *, seconds: float = 15) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - processes outside tell nothing
                await asyncio.sleep(0.02)

    async def ended(self) -> tuple[int, str]:
        output, _ = await asyncio.wait_for(self.process.communicate(), 30)
        assert self.process.returncode is not None
        return self.process.returncode, output.decode()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # An ended child whose adopter has not buried it yet is not alive.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"


def has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def child(
    folder: Path, name: str, script: str, *arguments: str, is_once: bool = False
) -> tuple[str, list[str], bool]:
    program = [sys.executable, "-I", "-S", "-c", textwrap.dedent(script)]
    return name, [*program, str(folder / name), *arguments], is_once


@pytest.fixture
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of source."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "pages").mkdir()
    (folder / "__pycache__").mkdir()
    return folder


@asynccontextmanager
async def tree(
    folder: Path,
    *children: tuple[str, list[str], bool],
    grace: float = 10,
    watched: Path | None = None,
) -> AsyncIterator[Tree]:
    plan: dict[str, Any] = {
        "children": children,
        "grace": grace,
        "watched": None if watched is None else str(watched),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(SUPERVISOR), json.dumps(plan)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    found = Tree(process, folder)
    try:
        yield found
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        await found.until(lambda: not any(map(is_alive, found.everyone())), seconds=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_the_whole_tree(tmp_path: Path, number: signal.Signals) -> None:
    # Ctrl-C, a service manager and a closed terminal leave no process, and say nothing odd.
    async with tree(
        tmp_path, child(tmp_path, "api", STEADY), child(tmp_path, "worker", STEADY)
    ) as running:
        await running.until(lambda: len(running.everyone()) == 2)
        started = monotonic()
        running.process.send_signal(number)
        assert await running.ended() == (0, "")
        assert monotonic() - started < 9
        assert not any(map(is_alive, running.everyone()))


async def test_a_child_that_ignores_the_signal_is_killed_within_the_grace(tmp_path: Path) -> None:
    # A stuck child must not hold up a restart: the grace covers all of it.
    async with tree(
        tmp_path,
        child(tmp_path, "api", STUBBORN),
        child(tmp_path, "worker", STEADY),
        grace=3,
    ) as running:
        await running.until(lambda: len(running.everyone()) == 2)
        started = monotonic()
        running.process.send_signal(signal.SIGTERM)
        code, output = await running.ended()
        assert monotonic() - started < 3
        assert (code, output) == (0, "SAY api did not end in time and was killed.\n")
        assert not any(map(is_alive, running.everyone()))


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    # Who presses Ctrl-C twice does not want to wait ten seconds.
    async with tree(tmp_path, child(tmp_path, "api", STUBBORN)) as running:
        await running.until(lambda: len(running.everyone()) == 1)
        running.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        started = monotonic()
        running.process.send_signal(signal.SIGINT)
        code, _ = await running.ended()
        assert monotonic() - started < 9
        assert code == 130
        assert not any(map(is_alive, running.everyone()))


async def test_children_go_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    # kill -9 gives it no chance to speak; children and grandchildren still go within two seconds.
    async with tree(
        tmp_path,
        child(tmp_path, "api", WITH_GRANDCHILD),
        child(tmp_path, "worker", STUBBORN),
    ) as running:
        await running.until(lambda: len(running.everyone()) == 3)
        running.process.kill()
        await running.until(lambda: not any(map(is_alive, running.everyone())), seconds=2)


async def test_a_dead_child_is_started_again_and_alone(tmp_path: Path) -> None:
    # kill -9 of the worker, again and again: it comes back each time, the API never notices.
    async with tree(
        tmp_path, child(tmp_path, "api", STEADY), child(tmp_path, "worker", WITH_GRANDCHILD)
    ) as running:
        for started in (2, 4, 6, 8, 10):
            await running.until(partial(running.has_started, "worker", started))
            os.kill(running.pids("worker")[-1], signal.SIGKILL)
        await running.until(partial(running.has_started, "worker", 12))
        *left_behind, grandchild, worker = running.pids("worker")
        assert not any(map(is_alive, left_behind)), "its own children went with it"
        assert is_alive(grandchild)
        assert is_alive(worker)
        assert len(running.pids("api")) == 1
        running.process.send_signal(signal.SIGTERM)
        code, output = await running.ended()
        assert code == 0
        assert output.count("SAY worker ended (signal 9); it is started again.\n") == 5


async def test_a_crash_loop_at_boot_ends_everything(tmp_path: Path) -> None:
    # A program that cannot start is not started for ever; its exit code tells why.
    async with tree(
        tmp_path, child(tmp_path, "api", CRASHING, "3"), child(tmp_path, "worker", STEADY)
    ) as running:
        code, output = await running.ended()
        assert code == 3
        assert output.splitlines()[-1] == (
            "SAY api does not start (exit code 3); everything is ended."
        )
        assert len(running.pids("api")) == 3
        assert not any(map(is_alive, running.everyone()))


async def test_a_change_of_the_source_starts_everything_again(tmp_path: Path, source: Path) -> None:
    # Whatever is saved, made or removed: each child ends and comes back once, none counts as dead.
    saved = source / "pages" / "one.html"
    acts: tuple[Callable[[], object], ...] = (
        saved.touch,
        partial(saved.write_text, "1"),
        saved.unlink,
    )
    children = child(tmp_path, "api", STEADY), child(tmp_path, "worker", STEADY)
    async with tree(tmp_path, *children, watched=source) as running:
        for started, act in enumerate(acts, 1):
            for name in ("api", "worker"):
                await running.until(partial(running.has_started, name, started))
            await asyncio.sleep(0.2)  # it has looked at what there is
            (source / "__pycache__" / f"{started}.pyc").touch()
            act()
        for name in ("api", "worker"):
            await running.until(partial(running.has_started, name, 4))
        await asyncio.sleep(0.2)
        assert [len(running.pids(name)) for name in ("api", "worker")] == [4, 4]
        running.process.send_signal(signal.SIGTERM)
        code, output = await running.ended()
        assert code == 0
        assert output == 3 * f"SAY {saved} changed; everything is started again.\n"


async def test_source_that_does_not_start_waits_for_the_next_change(
    tmp_path: Path, source: Path
) -> None:
    # A typing mistake ends nothing: the tree stays, says so, and goes on once it is mended.
    program = source / "program.py"
    program.write_text(textwrap.dedent(CRASHING))
    command = [sys.executable, "-I", "-S", str(program), str(tmp_path / "api"), "1"]
    async with tree(tmp_path, ("api", command, False), watched=source) as running:
        await running.until(partial(running.has_started, "api", 3))
        await asyncio.sleep(0.3)
        assert len(running.pids("api")) == 3, "it waits"
        program.write_text(textwrap.dedent(STEADY))
        await running.until(partial(running.has_started, "api", 4))
        assert is_alive(running.pids("api")[-1])
        running.process.send_signal(signal.SIGTERM)
        code, output = await running.ended()
        assert code == 0
        assert "SAY api does not start (exit code 1); it waits for the next change.\n" in output


async def test_a_bad_setting_is_not_tried_again(tmp_path: Path) -> None:
    # Exit code 2 says the setting is wrong; it will be wrong the next time too.
    async with tree(tmp_path, child(tmp_path, "api", CRASHING, "2")) as running:
        assert await running.ended() == (
            2,
            "SAY api does not start (exit code 2); everything is ended.\n",
        )
        assert len(running.pids("api")) == 1


async def test_a_program_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    # One plain line instead of a traceback.
    async with tree(tmp_path, ("api", ["/nowhere/bursar"], False)) as running:
        code, output = await running.ended()
        assert code == 2
        assert output.splitlines()[0] == "SAY api cannot be run: No such file or directory."


async def test_an_errand_may_end(tmp_path: Path) -> None:
    # Demo data are made beside the servers; when they are done, or fail, the servers stay.
    async with tree(
        tmp_path,
        child(tmp_path, "api", STEADY),
        child(tmp_path, "demo", CRASHING, "0", is_once=True),
        child(tmp_path, "report", CRASHING, "1", is_once=True),
    ) as running:
        await running.until(lambda: len(running.everyone()) == 3)
        await asyncio.sleep(0.5)
        assert is_alive(running.pids("api")[0])
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == (0, "SAY report failed with exit code 1.\n")
        assert [len(running.pids(name)) for name in ("api", "demo", "report")] == [1, 1, 1]


async def test_output_passes_untouched(tmp_path: Path) -> None:
    # Log lines are JSON for a collector; a prefix would break them.
    script = "import sys; sys.stdout.write('{\"a\":1}\\n'); sys.stderr.write('{\"b\":2}\\n')"
    speaking = ("api", [sys.executable, "-I", "-S", "-c", script], True)
    async with tree(tmp_path, speaking) as running:
        code, output = await running.ended()
        assert code == 0
        assert sorted(output.splitlines()) == ['{"a":1}', '{"b":2}']


def test_a_taken_port_gives_the_next_and_says_so() -> None:
    # `make run` starts beside whatever else listens, and tells where it is to be found.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        found = free_port(taken)
        assert found.port > taken
        assert found.notice == f"Port {taken} is taken; using {found.port}."
        assert free_port(taken, avoid={found.port}).port > found.port
        assert free_port(found.port) == FreePort(found.port, None)


def test_a_port_taken_on_every_address_is_taken() -> None:
    # `localhost` leads to ::1 first where there is one: a server there would answer in our place.
    family, address = (socket.AF_INET6, "::1") if has_ipv6_loopback() else (socket.AF_INET, "")
    with socket.socket(family) as other:
        other.bind((address, 0))
        other.listen()
        taken = other.getsockname()[1]
        assert free_port(taken).port != taken
