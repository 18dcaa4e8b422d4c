"""Sixty-four tasks bill the same due set, each job delivered three times."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.billing import Shop
from tests.support.world import World

from bursar.operations.billing_runs import BillChunk, BillOne, bill_chunk, bill_subscription
from bursar.runtime.db import DatabaseAway

SUBSCRIPTIONS = 16
TASKS = 64
DELIVERED = 3
PERIODS = 2


@pytest.mark.proof
async def test_a_crowd_bills_once(world: World) -> None:
    # Both lanes at once over the same set: no duplicate, no gap, numbers without gaps, books green.
    shop = Shop(await world.org())
    plan = await shop.plan(4_900)
    began = datetime.now(UTC) - timedelta(days=40)
    made = [await shop.subscribe(plan, start_at=began) for _ in range(SUBSCRIPTIONS)]
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
