"""`bursar run` as people meet it: real processes, real ports, an embedded PostgreSQL of its own."""

import asyncio
import json
import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from tests.support.program import START_SECONDS, Place, Program, place
from tests.support.tree import children, command_line, free_ports
from tests.support.waiting import eventually

from bursar.runtime.embedded import EmbeddedPostgres

STOP_SECONDS = 12


async def stop(program: Program, number: int = signal.SIGTERM) -> None:
    program.tell(number)
    assert await program.ended(seconds=STOP_SECONDS) == 0, program.said[-3_000:]


async def test_a_first_and_a_second_start() -> None:
    # Somebody else has our ports at first: plain words, others, and everything on them; a stop
    # leaves no process. The second start has its own, migrates nothing, and shows a page.
    async with place() as here:
        with _taken(here.port), _taken(int(here.environment["SANDBOX_PORT"])):
            first = await here.start("run", "--no-demo")
            await _require_a_first_start(here, first)
            await stop(first)
        assert here.alive() == []
        again = await here.start("run", "--no-demo")
        await here.until_healthy(again)
        assert (await here.ask("/console/sign-in")).startswith("HTTP/1.1 200 ")
        assert "bringing the schema" not in again.said
        assert "is taken" not in again.said
        await stop(again, signal.SIGINT)
        assert here.alive() == []


async def _require_a_first_start(here: Place, first: Program) -> None:
    """Health says what was promised; the words name the ports, the database, the API and the docs.

    A command in another shell finds both, with the settings it always had; another tree on the same
    data is refused.
    """
    await first.until(lambda: "/docs" in first.said)
    notice = f"Port {here.port} is taken; using "
    port = int(first.said.partition(notice)[2].partition(".")[0])
    await here.until_healthy(first, port)
    body = (await here.ask("/health", port=port)).partition("\r\n\r\n")[2]
    assert json.loads(body) == {"status": "ok", "database": "connected", "redis": "disabled"}
    assert f"http://localhost:{port}/v1" in first.said
    assert f"Docs      http://localhost:{port}/docs" in first.said
    assert f"(embedded)   {here.folder}/data/" in first.said
    assert "bringing the schema up to date" in first.said
    _require_hidden_secrets(here, first)
    _require_large_pages(first)
    _, said = await here.run("doctor", "--format", "csv")
    assert f"api,ok,http://127.0.0.1:{port}," in said
    assert "sandbox,ok,http://127.0.0.1:" in said
    assert f":{here.environment['SANDBOX_PORT']}," not in said
    code, said = await here.run("run", "--no-demo")
    assert (code, said.count("\n")) == (2, 1)
    assert "in use by another `bursar run`" in said
    assert await here.is_healthy(port)


async def test_the_programs_by_themselves() -> None:
    # Without a supervisor, too, the database is started, started again after a kill, and stopped
    # by whoever ends last.
    async with place() as here:
        code, said = await here.run("migrate")
        assert code == 0, said
        pages, _ = free_ports()
        worker = await here.start("worker", METRICS_PORT=str(pages))
        await eventually(lambda: here.is_alive(pages), seconds=START_SECONDS)
        api = await here.start("serve")
        await here.until_healthy(api)
        postgres = EmbeddedPostgres(here.folder / "data" / "postgres")
        killed = postgres.pid()
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: postgres.pid() not in {None, killed}, seconds=STOP_SECONDS)
        await here.until_healthy(api)
        await stop(worker)
        assert await here.is_healthy()
        await stop(api)
        assert here.alive() == []
        assert "postgres.watch_failed" not in worker.said + api.said


@contextmanager
def _taken(port: int) -> Iterator[None]:
    """Somebody else listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        yield


@pytest.mark.proof
async def test_the_demo_organization_is_made_once_and_goes_on_after_a_kill() -> None:
    # Killed in the middle, it is finished by the next start; the key stays the same; verify is
    # green over all of it, and a third start makes nothing.
    async with place(DEMO_MONTHS="1") as here:
        first = await here.start("run")
        await here.until_healthy(first)
        await first.until(lambda: "key bsk_" in first.said)
        key = first.said.partition("key ")[2].split()[0]
        first.process.kill()
        await first.process.wait()
        again = await here.start("run")
        whole = re.compile('"Acme Cloud": [0-9]+ customers, ([0-9]+) invoices, 3 failing cards')
        await again.until(lambda: whole.search(again.said) is not None)
        assert again.said.partition("key ")[2].split()[0] == key
        code, said = await here.run("verify")
        assert code == 0, said
        code, said = await here.run("invoice", "list", "--format", "csv", "--limit", "500")
        statuses = [line.split(",")[2] for line in said.splitlines()[1:] if line.startswith("inv_")]
        told = whole.search(again.said)
        assert told is not None
        assert len(statuses) == int(told[1])
        assert set(statuses) == {"paid", "open", "void", "draft"}
        await stop(again)


@pytest.mark.proof
async def test_kills_are_survived() -> None:
    # kill -9 of the API and of the worker: both come back. Of the supervisor: nobody can tell its
    # children any more, and still they are gone in a moment; PostgreSQL stays, whole, and the next
    # start finds it.
    async with place() as here:
        run = await here.start("run", "--no-demo")
        await here.until_healthy(run)
        for words in ("bursar.serving serve", "bursar.working worker"):
            (victim,) = _children(run, words)
            os.kill(victim, signal.SIGKILL)
            await run.until(partial(_is_replaced, run, words, victim))
        await here.until_healthy(run)
        run.process.kill()
        await run.process.wait()
        await _until_gone(here, "bursar.serving")
        await _until_gone(here, "bursar.working")
        again = await here.start("run", "--no-demo")
        await here.until_healthy(again)
        await stop(again)
        assert here.alive() == []


def _children(program: Program, words: str) -> list[int]:
    return [pid for pid in children(program.process.pid) if words in command_line(pid)]


def _require_hidden_secrets(here: Place, program: Program) -> None:
    """Everybody on the machine can read command lines."""
    seen = "".join(command_line(pid) for pid in children(program.process.pid))
    assert "bursar_sandbox" in seen
    assert "sk_test_" not in seen
    assert "whsec_" not in seen
    arguments = Path(here.environment["DATA_DIR"]) / "sandbox.arguments"
    assert arguments.stat().st_mode & 0o077 == 0


def _require_large_pages(program: Program) -> None:
    """The API, which hashes passwords, was started so that its large blocks are in large pages."""
    (api,) = _children(program, "bursar.serving")
    assert b"hugetlb=1" in Path(f"/proc/{api}/environ").read_bytes()


def _is_replaced(program: Program, words: str, victim: int) -> bool:
    found = _children(program, words)
    return bool(found) and victim not in found


async def _until_gone(here: Place, words: str) -> None:
    async with asyncio.timeout(5):
        while [line for line in here.alive() if words in line]:  # noqa: ASYNC110 - processes outside tell nothing
            await asyncio.sleep(0.05)
