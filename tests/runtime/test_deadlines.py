"""Deadlines: what is late is cut off, what is in time is let be, and others may still cancel."""

import asyncio

import pytest

from bursar.runtime import deadlines
from bursar.runtime.deadlines import Deadline

LONG = 60.0
SOON = 0.01


@pytest.fixture(params=["with a timer of its own", "with one for all"], autouse=True)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Both kinds keep the same promises; which one it is, only its length says.
    shared_from = LONG if request.param.endswith("own") else 0.0
    monkeypatch.setattr(deadlines, "_SHARED_FROM_SECONDS", shared_from)
    monkeypatch.setattr(deadlines, "_LOOK_SECONDS", 0.001)


async def test_what_is_in_time_is_left_alone() -> None:
    # Also afterwards: nobody cuts off what the task does next.
    with Deadline(SOON):
        await asyncio.sleep(0)
    await asyncio.sleep(2 * SOON)


@pytest.mark.parametrize("seconds", [SOON, 0, -1])
async def test_what_is_late_is_cut_off(seconds: float) -> None:
    # A time that is over already leaves none; the task itself goes on.
    with pytest.raises(TimeoutError), Deadline(seconds):
        await asyncio.sleep(LONG)
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_inner_of_two_is_the_one_that_ends() -> None:
    # The outer one goes on, and what the inner one cut off is told to it alone.
    with Deadline(LONG):
        with pytest.raises(TimeoutError), Deadline(SOON):
            await asyncio.sleep(LONG)
        await asyncio.sleep(0)


async def test_another_fault_is_not_hidden() -> None:
    # What was raised in time is raised.
    with pytest.raises(ValueError, match="mine"), Deadline(LONG):
        raise ValueError("mine")


async def test_who_cancels_the_task_is_obeyed() -> None:
    # Before it is late, and in the very moment in which it is.
    async def wait(seconds: float) -> None:
        with Deadline(seconds):
            await asyncio.sleep(LONG)

    early, late = asyncio.create_task(wait(LONG)), asyncio.create_task(wait(0))
    await asyncio.sleep(0)
    early.cancel()
    asyncio.get_running_loop().call_soon(late.cancel)
    for task in (early, late):
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_nobody_looks_where_nothing_is_awaited() -> None:
    # An idle process sleeps: the shared timer ends with the last of those who share it.
    with Deadline(LONG):
        await asyncio.sleep(SOON)
    await asyncio.sleep(SOON)
    with pytest.raises(TimeoutError), Deadline(SOON):
        await asyncio.sleep(LONG)


async def test_many_are_cut_off_each_in_its_time() -> None:
    # Whoever came first is not the first to go.
    cut: list[int] = []

    async def wait(number: int, seconds: float) -> None:
        with pytest.raises(TimeoutError), Deadline(seconds):
            await asyncio.sleep(LONG)
        cut.append(number)

    await asyncio.gather(wait(3, 6 * SOON), wait(1, SOON), wait(2, 3 * SOON))
    assert cut == [1, 2, 3]
