"""What the README, the quickstart and a guide tell people to type works, in that order.

Only the port is replaced, so that a busy one disturbs nobody. `make run` is started once, as the
README starts it, without the demo organization; the `sh` blocks of a page run in one shell.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from tests.support.tree import free_ports

from bursar.runtime.crypto import sign_standard

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(console|sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START_SECONDS = 90
STOP_SECONDS = 15
SHELL_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Running:
    """What `make run` serves, and the environment it was started in."""

    port: int
    environment: dict[str, str]
    scratch: Path


def blocks(path: str, kind: str) -> list[str]:
    """The fenced blocks of one kind, in order."""
    return [text for found, text in BLOCK.findall((ROOT / path).read_text()) if found == kind]


def commands(path: str) -> list[str]:
    """What stands behind a prompt in `console` blocks; other lines are shown output."""
    lines = "".join(blocks(path, "console")).splitlines()
    return [line.removeprefix("$ ").partition("  #")[0] for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Running]:
    """The first command of the README, in the background until the tests are done."""
    # Not pytest's own temporary folder: as root, PostgreSQL runs as another user.
    scratch = Path(tempfile.mkdtemp(prefix="bursar-readme-"))
    port, sandbox_port = free_ports()
    inherited = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    environment = {
        **inherited,  # but for what `make test` was called with
        "APP_ENV": "development",
        "ARGS": "--no-demo",
        "DATA_DIR": str(scratch / "data"),
        "PORT": str(port),
        "SANDBOX_PORT": str(sandbox_port),
    }
    with (scratch / "run.log").open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            *commands("README.md")[0].split(),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        await _healthy(child, port, scratch / "run.log")
        yield Running(port, environment, scratch)
    finally:
        _signal(child, signal.SIGINT)  # Ctrl-C
        try:
            await asyncio.wait_for(child.wait(), STOP_SECONDS)
        finally:
            _signal(child, signal.SIGKILL)
            shutil.rmtree(scratch, ignore_errors=True)


def _signal(child: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


async def _healthy(child: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while child.returncode is None:
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    _tell(log)


def _tell(log: Path) -> None:
    raise AssertionError(log.read_text())


@pytest.fixture
def stand_in(running: Running) -> Iterator[Path]:
    """A folder with a `curl` of our own, for machines that have none."""
    folder = running.scratch / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "curl"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/tests/support/curl.py" "$@"\n')
    script.chmod(0o755)
    yield folder
    script.unlink()


async def shell(running: Running, path: str, *, path_first: Path | None = None) -> str:
    """Run a document's `sh` blocks in one shell; every command of them must succeed."""
    told = "\n".join(
        f"echo '{path}, block {number}' >&2\n{text}"
        for number, text in enumerate(blocks(path, "sh"), 1)
    ).replace("localhost:3000", f"localhost:{running.port}")
    environment = dict(running.environment)
    if path_first is not None:
        environment["PATH"] = f"{path_first}:{environment['PATH']}"
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-eu", "-c", told],
        cwd=running.scratch,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SHELL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


async def test_first_paid_invoice(running: Running, stand_in: Path) -> None:
    # Whoever types the README's blocks has a paid invoice, its page, its PDF and balanced books.
    has_curl = shutil.which("curl") is not None
    said = await shell(running, "README.md", path_first=None if has_curl else stand_in)
    assert "\npaid\n" in said
    assert "paid in full" in said
    assert '"invoice.paid"' in said
    assert '"isBalanced":true' in said
    assert (running.scratch / "invoice.pdf").read_bytes().startswith(b"%PDF-")


async def test_quickstart(running: Running, stand_in: Path) -> None:
    # Whoever types the quickstart's blocks sees a charge, its replay, a decline and a refusal.
    said = await shell(running, "docs/quickstart.md", path_first=stand_in)
    assert "}succeeded\n" in said
    assert "insufficient_funds" in said
    assert "lines[0].quantity" in said


@pytest.mark.proof
async def test_selling_subscriptions(running: Running, stand_in: Path) -> None:
    # Whoever types the guide's blocks sees the lines and the total that it prints.
    has_curl = shutil.which("curl") is not None
    path = "docs/guides/subscriptions.md"
    said = await shell(running, path, path_first=None if has_curl else stand_in)
    lines = ["-2529 Unused time on Team", "5110 Remaining time on Business"]
    billed = [*lines, "9900 Business", "3086 API calls", "0 API calls", "paid", "15567"]
    assert "\n".join([*lines, "plan_"]) in said  # the preview
    assert said.splitlines()[-len(billed) :] == billed


async def test_console_commands(running: Running) -> None:
    # The README's commands are the ones we know, and each of them runs.
    run, test, demo = commands("README.md")
    assert run == "make run"  # started by the fixture, word for word
    # The suite cannot run itself; that the target is there is all that is left to ask.
    assert test == "make test"
    assert "\ntest: " in (ROOT / "Makefile").read_text()
    done = await asyncio.to_thread(
        subprocess.run,
        demo.split(),
        cwd=ROOT,
        env=running.environment,
        capture_output=True,
        text=True,
        timeout=SHELL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_verification_example() -> None:
    # The Python that receivers copy accepts what we sign, and nothing else.
    (example,) = blocks("docs/domain/webhooks.md", "python")
    names: dict[str, object] = {}
    exec(example, names)  # the very text that is printed
    is_ours = names["is_ours"]
    assert callable(is_ours)
    secret, body = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTA=", b'{"id":"evt_1"}'
    signature = sign_standard(secret, message_id="evt_1", timestamp=1_700_000_000, body=body)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": f"v1,AAAA {signature}",
    }
    assert is_ours(secret, headers, body)
    assert not is_ours(secret, headers, body + b" ")
    assert not is_ours(secret, {**headers, "webhook-timestamp": "1700000001"}, body)
