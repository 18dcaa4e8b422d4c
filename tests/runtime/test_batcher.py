"""Natural batching: alone at once, together under load, bounded, and a fault is everybody's own."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from bursar.runtime import batcher
from bursar.runtime.batcher import Batcher, BatcherFull


class Counter:
    """Notes the batches it is given, and holds each until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def act(self, items: Sequence[int]) -> Sequence[object]:
        self.batches.append(list(items))
        await self.gate.wait()
        return [ValueError(str(item)) if item < 0 else item * 2 for item in items]


async def settled() -> None:
    """The loop turns until whoever can go has gone; no time passes."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_first_goes_at_once_and_the_rest_together() -> None:
    # Nobody waits for a timer; what arrives meanwhile is one batch, answered one by one.
    counter, gathered = Counter(), Batcher()
    tasks = []
    for number in range(10):
        tasks.append(asyncio.create_task(gathered.submit("a", number, counter.act)))
        await settled()
    assert counter.batches == [[0]]
    counter.gate.set()
    assert await asyncio.gather(*tasks) == [number * 2 for number in range(10)]
    assert counter.batches == [[0], list(range(1, 10))]


async def test_whoever_comes_back_at_once_is_in_the_next_batch() -> None:
    # Some ask again as soon as they are answered, a turn or two apart, as they are read and begun:
    # they go on together, and nobody goes alone.
    counter, gathered = Counter(), Batcher()
    counter.gate.set()

    async def again_and_again(number: int) -> None:
        for _ in range(3):
            for _ in range(number % 3):
                await asyncio.sleep(0)
            await gathered.submit("a", number, counter.act)

    await asyncio.gather(*(again_and_again(number) for number in range(5)))
    assert [sorted(batch) for batch in counter.batches] == [[0, 1, 2, 3, 4]] * 3


async def test_a_crowd_opens_another_lane() -> None:
    # Another lane opens for a crowd, and what arrives while all are taken is one batch.
    counter, gathered = Counter(), Batcher()
    tasks = []
    last = batcher.CROWD + 1
    for number in range(2 * last):
        tasks.append(asyncio.create_task(gathered.submit("a", number, counter.act, lanes=2)))
        await settled()
    assert counter.batches == [[0], list(range(1, last))]
    counter.gate.set()
    assert await asyncio.gather(*tasks) == [number * 2 for number in range(2 * last)]
    assert counter.batches == [[0], list(range(1, last)), list(range(last, 2 * last))]


async def test_a_batch_is_as_large_as_its_act_allows() -> None:
    # Whose items are large takes few of them at once; the rest are next, in their order.
    counter, gathered = Counter(), Batcher()
    tasks = []
    for number in range(8):
        tasks.append(asyncio.create_task(gathered.submit("a", number, counter.act, size_max=3)))
        await settled()
    counter.gate.set()
    assert await asyncio.gather(*tasks) == [number * 2 for number in range(8)]
    assert counter.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]


async def test_keys_do_not_wait_for_each_other() -> None:
    # One that hangs keeps only its own.
    stuck, free = Counter(), Counter()
    free.gate.set()
    gathered = Batcher()
    waiting = asyncio.create_task(gathered.submit("a", 1, stuck.act))
    assert await gathered.submit("b", 2, free.act) == 4
    stuck.gate.set()
    assert await waiting == 2


async def test_one_fault_is_one_items_own() -> None:
    # An outcome that is an exception is raised where it belongs.
    counter, gathered = Counter(), Batcher()
    counter.gate.set()
    done = await asyncio.gather(
        *(gathered.submit("a", number, counter.act) for number in (1, -1, 3)),
        return_exceptions=True,
    )
    assert [done[0], done[2]] == [2, 6]
    assert isinstance(done[1], ValueError)


async def test_a_batch_that_fails_fails_for_all_of_it() -> None:
    # And the next one is served.
    gathered = Batcher()
    calls = 0

    async def act(items: Sequence[int]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ConnectionError("gone")
        return items

    with pytest.raises(ConnectionError):
        await gathered.submit("a", 1, act)
    assert await gathered.submit("a", 2, act) == 2


async def busy(gathered: Batcher, counter: Counter) -> "asyncio.Task[Any]":
    """A batch that is under way."""
    task = asyncio.create_task(gathered.submit("a", 0, counter.act))
    await asyncio.sleep(0.01)
    return task


async def test_whoever_left_is_left_out() -> None:
    # An item whose caller is gone before its batch begins is not acted on.
    counter, gathered = Counter(), Batcher()
    running = await busy(gathered, counter)
    gone = asyncio.create_task(gathered.submit("a", 7, counter.act))
    await asyncio.sleep(0)
    gone.cancel()
    counter.gate.set()
    await running
    assert [7] not in counter.batches


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Past the maximum a new item is refused at once.
    monkeypatch.setattr(batcher, "WAITING_MAX", 3)
    counter, gathered = Counter(), Batcher()
    tasks = [await busy(gathered, counter)]
    tasks += [asyncio.create_task(gathered.submit("a", 5, counter.act)) for _ in range(3)]
    await asyncio.sleep(0.01)
    with pytest.raises(BatcherFull):
        await gathered.submit("a", 9, counter.act)
    counter.gate.set()
    await asyncio.gather(*tasks)
