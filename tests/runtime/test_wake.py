"""The process's own line: signals between processes, and the sign of life other processes read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.runtime.conftest import Machine
from tests.support.waiting import eventually

from bursar.runtime.wake import Line, Wake

IS_DEAD = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended($1::uuid::text, 0))"
IS_LIGHT = """
    SELECT setting = 'off' AND source = 'session' FROM pg_settings WHERE name = 'synchronous_commit'
"""
END_LINES = """
    SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted
"""


@asynccontextmanager
async def line_of(
    machine: Machine, boot_id: UUID | None = None, *, is_listening: bool = False
) -> AsyncIterator[Wake]:
    wake = Wake(machine.connect, boot_id or uuid4(), is_listening=is_listening)
    await wake.start()
    wake.woken.clear()
    try:
        yield wake
    finally:
        await wake.stop()


async def within(seconds: float, event: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def until_dead(machine: Machine, boot_id: UUID) -> None:
    async def is_dead() -> bool:
        return bool(await machine.fetchval(IS_DEAD, boot_id))

    await eventually(is_dead)


async def test_a_signal_wakes_other_processes(machine: Machine) -> None:
    # What one process signals sets the event of every process that listens, and of itself.
    async with (
        line_of(machine) as sender,
        line_of(machine, is_listening=True) as one,
        line_of(machine, is_listening=True) as other,
    ):
        sender.signal()
        assert sender.woken.is_set()
        assert await within(2, one.woken)
        assert await within(2, other.woken)


async def test_a_signal_waits_for_no_disk(machine: Machine) -> None:
    # It is gone with the server anyway; others who commit must not queue behind it.
    lines: list[Line] = []

    async def connect() -> Line:
        lines.append(await machine.connect())
        return lines[-1]

    async def is_light() -> bool:
        with suppress(asyncpg.InterfaceError):  # a signal is on its way just now
            return bool(await lines[0].fetchval(IS_LIGHT))
        return False

    wake = Wake(connect, uuid4())
    await wake.start()
    try:
        await eventually(is_light)
    finally:
        await wake.stop()


async def test_without_a_signal_nobody_wakes(machine: Machine) -> None:
    # Lines that are merely open wake nobody.
    async with line_of(machine), line_of(machine, is_listening=True) as one:
        assert not await within(0.2, one.woken)


async def test_signals_are_coalesced(machine: Machine) -> None:
    # Ten thousand commits in a fifth of a second make at most one NOTIFY every 5 ms.
    heard = 0

    def count(*_: object) -> None:
        nonlocal heard
        heard += 1

    listener = await machine.connect()
    try:
        async with line_of(machine) as sender:
            await asyncio.sleep(0.05)
            await listener.add_listener("bursar_wake", count)
            for _ in range(100):
                for _ in range(100):
                    sender.signal()
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.1)
    finally:
        await listener.close()
    assert 1 <= heard <= 100


async def test_the_sign_of_life_goes_with_the_process(machine: Machine) -> None:
    # Others find the boot id's lock taken while we live, and free once we have hung up.
    boot_id = uuid4()
    assert await machine.fetchval(IS_DEAD, boot_id)
    async with line_of(machine, boot_id) as wake:
        assert wake.is_holding
        assert not await machine.fetchval(IS_DEAD, boot_id)
    await until_dead(machine, boot_id)


async def test_a_lost_line_is_made_again(machine: Machine) -> None:
    # The server ends our sessions; soon the sign of life is up again, and signals pass again.
    sender_id = uuid4()
    async with (
        line_of(machine, sender_id) as sender,
        line_of(machine, is_listening=True) as listener,
    ):
        assert await machine.as_superuser(END_LINES) == 2
        assert await within(2, listener.woken), "work may have come while nobody listened"

        async def are_back() -> bool:
            is_dead = await machine.fetchval(IS_DEAD, sender_id)
            return not is_dead and listener.is_holding

        await eventually(are_back)
        await asyncio.sleep(0.1)
        listener.woken.clear()
        sender.signal()
        assert await within(2, listener.woken)


async def test_a_signal_during_the_outage_is_not_lost(machine: Machine) -> None:
    # A commit that was signaled while the line was down wakes the others once it is up.
    attempts = 0

    async def connect() -> Line:
        nonlocal attempts
        attempts += 1
        if attempts in {2, 3}:
            raise OSError("down")
        return await machine.connect()

    sender = Wake(connect, uuid4())
    await sender.start()
    try:
        async with line_of(machine, is_listening=True) as listener:
            await asyncio.sleep(0.05)
            await machine.as_superuser(END_LINES)
            await eventually(lambda: not sender.is_holding)
            sender.signal()
            await eventually(lambda: sender.is_holding and listener.is_holding)
            assert await within(2, listener.woken)
        assert attempts == 4
    finally:
        await sender.stop()


async def test_a_line_that_cannot_be_opened_says_so() -> None:
    # A process without its sign of life does not start.
    async def connect() -> Line:
        raise OSError("no such host")

    with pytest.raises(TimeoutError):
        await Wake(connect, uuid4()).start(timeout_seconds=0.2)
