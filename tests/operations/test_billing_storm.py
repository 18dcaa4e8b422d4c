"""Sixty-four tasks bill the same due set, each job delivered three times."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.planted.planting import planted
from tests.support.billing import Shop
from tests.support.world import World

from bursar.domain.subscriptions import Subscription
from bursar.operations.billing_runs import BillChunk, BillOne, bill_chunk, bill_subscription
from bursar.runtime.connections import DatabaseAway

SUBSCRIPTIONS = 16
TASKS = 64
DELIVERED = 3
PERIODS = 2


async def due_set(world: World, many: int) -> tuple[Shop, list[Subscription]]:
    """Subscriptions of which two periods are due."""
    shop = Shop(await world.org())
    plan = await shop.plan(4_900)
    began = datetime.now(UTC) - timedelta(days=40)
    return shop, [await shop.subscribe(plan, start_at=began) for _ in range(many)]


@pytest.mark.proof
async def test_a_crowd_bills_once(world: World) -> None:
    # Both lanes at once over the same set: no duplicate, no gap, numbers without gaps, books green.
    shop, made = await due_set(world, SUBSCRIPTIONS)
    system = world.system(shop.org.id)

    async def task(number: int) -> None:
        for _ in range(DELIVERED):
            with suppress(DatabaseAway):  # a task that found the pool empty comes back
                if number % 2:
                    await system.run(bill_subscription, BillOne(made[number % SUBSCRIPTIONS].id))
                else:
                    await system.run(bill_chunk, BillChunk(3))

    await asyncio.gather(*(task(number) for number in range(TASKS)))
    shop.now = datetime.now(UTC)
    await shop.bill_all()
    assert await shop.numbers() == list(range(1, PERIODS * SUBSCRIPTIONS + 1))
    assert await shop.wrong() == []


@pytest.mark.proof
async def test_a_crowd_without_any_check_bills_once(world: World) -> None:
    # Where nobody looks, locks or compares, the constraints still let each period through once.
    shop, made = await due_set(world, 2)
    system, stopped = world.system(shop.org.id), Counter[str]()

    async def task(number: int) -> None:
        for _ in range(DELIVERED):
            try:
                await system.run(bill_subscription, BillOne(made[number % 2].id))
            except asyncpg.UniqueViolationError as refused:
                stopped[refused.constraint_name or ""] += 1
            except (
                AssertionError
            ):  # a statement found fewer rows than were read: all of it is undone
                stopped["rows"] += 1
            except DatabaseAway:
                pass

    with planted("nobody_looks"):
        await asyncio.gather(*(task(number) for number in range(TASKS)))
    shop.now = datetime.now(UTC)
    await shop.bill_all()
    assert stopped["billed_periods_pkey"] + stopped["billed_from_one_start"], stopped
    assert await shop.numbers() == list(range(1, PERIODS * len(made) + 1))
    assert [len(await shop.periods(each.id)) for each in made] == [PERIODS, PERIODS]
    assert await shop.wrong() == []
