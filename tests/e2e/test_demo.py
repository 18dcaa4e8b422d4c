"""`bursar demo` as people run it: real processes, real HTTP, a database of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bursar.cli.demo_story import SCENES
from bursar.runtime.settings import child_environment

LONGEST_SECONDS = 60
ENTER = "from bursar.cli.entry import enter; enter()"


async def start(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """The program, in an environment in which no Bursar runs."""
    settings = {"PORT": "1", "DATA_DIR": str(folder / "mine"), "TMPDIR": str(folder)}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ENTER, "demo", *arguments),
        cwd=folder,
        env=child_environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def folders(folder: Path) -> list[Path]:
    """What the demo's own systems keep, once they have begun."""
    return [log.parent for log in folder.glob("bursar-demo-*/run.log")]


async def until_begun(folder: Path) -> None:
    async with asyncio.timeout(LONGEST_SECONDS):
        while not folders(folder):  # noqa: ASYNC110 - a program outside tells nothing
            await asyncio.sleep(0.05)


def left_behind(folder: Path) -> list[str]:
    """Programs that still run with something of this folder in their command line or settings."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue  # it ended, or is no program
        if str(folder).encode() in said:
            found.append(str(said.split(b"\x00", 3)[:3]))
    return found


@pytest.fixture(scope="module", autouse=True)
async def turned_away(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A demo of a system that is not there: it looks for a while, in which the others go on."""
    demo = await start(tmp_path_factory.mktemp("away"), "--url", "http://127.0.0.1:1")
    yield demo
    if demo.returncode is None:
        demo.kill()
    await demo.communicate()


async def test_the_whole_story_goes_well(tmp_path: Path) -> None:
    # Every step is as it should be, told as one JSON object; nothing stays.
    demo = await start(tmp_path, "--json")
    out, err = await asyncio.wait_for(demo.communicate(), 2 * LONGEST_SECONDS)
    report: dict[str, Any] = json.loads(out)
    assert [step for step in report["steps"] if not step["ok"]] == [], err.decode()
    assert [step["name"] for step in report["steps"]] == [
        "system",
        *(name for name, _ in SCENES),
        "verify",
    ]
    assert (demo.returncode, report["ok"]) == (0, True), err.decode()
    assert all(step["detail"] and step["seconds"] >= 0 for step in report["steps"])
    assert left_behind(tmp_path) == []
    assert folders(tmp_path) == []


async def test_a_system_that_is_not_there_is_said_so(
    turned_away: asyncio.subprocess.Process,
) -> None:
    # Somebody named a system: it is not replaced by another one behind their back.
    out, _ = await asyncio.wait_for(turned_away.communicate(), LONGEST_SECONDS)
    assert turned_away.returncode == 1
    first, last = out.decode().splitlines()
    assert "expected a healthy Bursar at http://127.0.0.1:1, came none" in first
    assert last.startswith("the story broke off")


async def test_sigterm_ends_what_the_demo_started(tmp_path: Path) -> None:
    # Whoever ends the demo ends the system it started, and its folder is gone.
    demo = await start(tmp_path)
    await until_begun(tmp_path)
    demo.send_signal(signal.SIGTERM)
    await asyncio.wait_for(demo.communicate(), LONGEST_SECONDS)
    assert demo.returncode == 128 + signal.SIGTERM
    assert left_behind(tmp_path) == []
    assert folders(tmp_path) == []
