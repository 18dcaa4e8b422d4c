"""How processes refuse to start and how they end: one clear line, in time, nothing left behind."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.database import Installation
from tests.support.program import Place, Program, place

from bursar.runtime.schema import newest_revision

STRONG = "0123456789abcdef0123456789abcdef-strong"
BAD = {
    "APP_ENV": "staging",
    "PORT": "0",
    "WORKERS": "none",
    "LOG_LEVEL": "loud",
    "DATABASE_URL": "mysql://localhost/x",
    "MIGRATION_DATABASE_URL": "postgresql://localhost/x",
    "REDIS_URL": "http://localhost",
    "SECRET_KEY": "short",
    "JWT_EXPIRES_IN": "soon",
    "SANDBOX_PORT": "99999",
    "DUNNING_SCHEDULE_MINUTES": "5,1",
    "WEBHOOK_DELIVERY_TIMEOUT_MS": "1",
    "RATE_LIMIT_MAX_REQUESTS": "-1",
    "TRUSTED_PROXIES": "everybody",
    "PUBLIC_URL": "not a url",
}


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[Place]:
    async with place() as made:
        yield made


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_setting_is_one_line(here: Place, name: str) -> None:
    # The variable is named, nothing begins, and the supervisor would not try again: exit 2.
    code, said = await here.run("run", **{name: BAD[name]})
    assert (code, said.count("\n")) == (2, 1), said
    assert said.startswith(f"bursar: {name}: ")
    assert not (here.folder / "data" / "postgres").exists()


async def test_production_wants_secrets(here: Place) -> None:
    # Nothing is made up where real money is: the start ends before it begins.
    code, said = await here.run("serve", APP_ENV="production")
    assert (code, said.count("\n")) == (2, 1), said
    assert "SECRET_KEY: is required in production" in said


async def on_database(house: Installation, here: Place, *arguments: str) -> tuple[int, str]:
    """A command on the suite's own database."""
    settings = house.settings
    return await here.run(
        *arguments,
        DATABASE_URL=house.app_url,
        SECRET_KEY=settings.secret_key.reveal(),
        APP_ENV="test",
    )


@pytest.mark.parametrize(("revision", "word"), [("0000", "older"), ("9999", "newer")])
async def test_another_schema_is_refused(
    house: Installation, here: Place, revision: str, word: str
) -> None:
    # A database that is older or newer than the code: one line that says what to do, exit 2.
    advice = {"older": "run `bursar migrate`", "newer": "install the newer release"}[word]
    owner = await house.as_owner()
    try:
        await owner.execute("UPDATE alembic_version SET version_num = $1", revision)
        for program in ("serve", "worker"):
            code, said = await on_database(house, here, program)
            assert (code, said.count("\n")) == (2, 1), said
            assert revision in said
            assert advice in said
    finally:
        await owner.execute("UPDATE alembic_version SET version_num = $1", newest_revision())
        await owner.close()


async def test_another_secret_key_is_refused(house: Installation, here: Place) -> None:
    # With a key the database does not know nothing could be read: said at once, not at a request.
    code, said = await here.run(
        "serve", DATABASE_URL=house.app_url, SECRET_KEY=STRONG, APP_ENV="test"
    )
    assert (code, said.count("\n")) == (2, 1), said
    assert "SECRET_KEY is not the one" in said


async def test_production_refuses_a_powerful_login(house: Installation, here: Place) -> None:
    # The owner's login would pass row-level security: production does not serve with it.
    code, said = await here.run(
        "serve",
        DATABASE_URL=house.owner_url,
        SECRET_KEY=house.settings.secret_key.reveal(),
        APP_ENV="production",
    )
    assert (code, said.count("\n")) == (2, 1), said
    assert "bursar_owner" in said
    assert "owns tables" in said
    assert "bypasses row-level security" in said


async def test_a_taken_port_is_one_line(house: Installation, here: Place) -> None:
    # Somebody else listens there: said in one line, with the address.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", here.port))
        taken.listen()
        code, said = await on_database(house, here, "serve")
    assert (code, said.count("\n")) == (1, 1), said
    assert f"127.0.0.1:{here.port} cannot be listened on: Address already in use." in said


async def serving(house: Installation, here: Place) -> Program:
    """The API alone, on the suite's database."""
    program = await here.start(
        "serve",
        DATABASE_URL=house.app_url,
        SECRET_KEY=house.settings.secret_key.reveal(),
        APP_ENV="test",
        RATE_LIMIT_MAX_REQUESTS="1000000",
    )
    await here.until_healthy(program)
    return program


async def test_requests_that_began_are_answered(house: Installation, here: Place) -> None:
    # SIGTERM under load: whoever got through gets a whole answer, and the process ends cleanly.
    program = await serving(house, here)
    torn: list[str] = []
    answered = 0

    async def ask() -> None:
        nonlocal answered
        while program.process.returncode is None:
            answer = await here.ask("/health/ready")
            if answer.startswith("HTTP/1.1 200 ") and answer.endswith('{"status":"ok"}'):
                answered += 1
            elif answer:
                torn.append(answer)

    askers = [asyncio.create_task(ask()) for _ in range(16)]
    await asyncio.sleep(1)
    before = answered
    program.tell(signal.SIGTERM)
    assert await program.ended(seconds=10) == 0
    await asyncio.gather(*askers)
    assert before > 0
    assert torn == []
    assert '"level":"error"' not in program.said


async def test_a_stop_waits_for_no_load(house: Installation, here: Place) -> None:
    # SIGTERM while the API answers health and still loads: whoever waits is told, and it ends.
    program = await here.start(
        "serve",
        DATABASE_URL=house.app_url,
        SECRET_KEY=house.settings.secret_key.reveal(),
        APP_ENV="test",
    )
    await here.until_healthy(program)
    waiting = asyncio.create_task(here.ask("/v1/customers"))
    await asyncio.sleep(0.1)
    program.tell(signal.SIGTERM)
    assert await program.ended(seconds=5) == 0, program.said[-2_000:]
    assert (await waiting).startswith(("HTTP/1.1 503 ", "HTTP/1.1 401 "))
    assert '"level":"error"' not in program.said


async def test_a_second_signal_ends_at_once(house: Installation, here: Place) -> None:
    # A request that does not end keeps a polite process; a second SIGTERM is not argued with.
    program = await serving(house, here)
    _, writer = await asyncio.open_connection("127.0.0.1", here.port)
    writer.write(
        b"POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    await writer.drain()
    await asyncio.sleep(0.5)
    program.tell(signal.SIGTERM)
    await asyncio.sleep(0.5)
    assert program.process.returncode is None
    started = time.monotonic()
    program.tell(signal.SIGTERM)
    assert await program.ended(seconds=10) == 128 + signal.SIGTERM
    assert time.monotonic() - started < 2
    writer.close()


async def test_a_worker_ends_cleanly(house: Installation, here: Place) -> None:
    # SIGTERM: the worker finishes or hands back what it holds and exits with 0.
    program = await here.start(
        "worker",
        DATABASE_URL=house.app_url,
        SECRET_KEY=house.settings.secret_key.reveal(),
        APP_ENV="test",
    )
    await _until_listening(house)
    program.tell(signal.SIGTERM)
    assert await program.ended(seconds=10) == 0, program.said[-2_000:]
    assert '"level":"error"' not in program.said


async def test_a_start_can_be_stopped(house: Installation, here: Place) -> None:
    # SIGTERM while a process still starts: it takes back what it opened and ends with 0.
    program = await here.start("serve", DATABASE_URL="postgresql://127.0.0.1:1/bursar")
    await program.until(lambda: _hears(program, signal.SIGTERM))
    await asyncio.sleep(0.5)  # it waits for a database that does not come
    assert program.process.returncode is None, program.said[-2_000:]
    program.tell(signal.SIGTERM)
    assert await program.ended(seconds=5) == 0, program.said[-2_000:]


def _hears(program: Program, number: signal.Signals) -> bool:
    """Whether the process does more than die of it."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    caught = int(status.partition("SigCgt:")[2].split()[0], 16)
    return bool(caught >> (number - 1) & 1)


async def _until_listening(house: Installation) -> None:
    """The worker's line for wake-ups is the last thing that it opens."""
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'bursar-worker' AND query LIKE '%claim%'"
    )
    owner = await house.as_owner()
    try:
        async with asyncio.timeout(60):
            while not await owner.fetchval(query):  # noqa: ASYNC110 - a program outside tells nothing
                await asyncio.sleep(0.1)
    finally:
        await owner.close()
