"""A clock that jumps, ahead and back, while the agenda, billing and usage go by it."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.support.agreements import a_meter, per_unit
from tests.support.billing import Shop, a_shop, at
from tests.support.world import World

from bursar.domain.ids import uuid_of
from bursar.domain.meters import Meter
from bursar.domain.refusals import Refusal
from bursar.domain.subscriptions import Subscription
from bursar.domain.usage import UsageReport
from bursar.operations.usage import IngestUsage, ingest_usage
from bursar.runtime import doors

DAY = timedelta(days=1)
START = at("2026-01-01")
EVENTS_A_DAY = 1
DAYS = 60


def jumps(seed: int, many: int, farthest: timedelta) -> Iterator[timedelta]:
    """A second, hours, or as far as it may be, to either side."""
    chance = random.Random(seed)
    for _ in range(many):
        reach = chance.choice([timedelta(seconds=1), timedelta(hours=3), 40 * DAY, farthest])
        yield reach * chance.uniform(-1, 1)


async def reported(
    shop: Shop, subscription: Subscription, meter: Meter, until: datetime
) -> Counter[str]:
    """Everything that has happened by then is reported, once more; how the reports were judged."""
    days = min((until - START) // DAY, DAYS)
    reports = [
        UsageReport(subscription.id, meter.id, f"day-{day}", 1, START + day * DAY, {})
        for day in range(days)
    ]
    if not reports:
        return Counter()
    command = IngestUsage(reports, late_days_max=400)
    verdicts = await shop.org.caller.run(ingest_usage, command)
    return Counter(
        "refused" if isinstance(each, Refusal) else ("new" if each.is_new else "known")
        for each in verdicts
    )


async def live(world: World, seed: int, many: int, farthest: timedelta) -> None:
    """Real time goes on by days, and again and again the clock is somewhere else."""
    shop = await a_shop(world, "2026-01-01")
    meter = await a_meter(shop.org)
    plan = await shop.plan(5_000, per_unit(meter, "25"))
    made = [await shop.subscribe(plan) for _ in range(3)]
    right, judged = START, Counter[str]()
    for place, jump in enumerate(jumps(seed, many, farthest)):
        right += DAYS * DAY / many
        await shop.set_clock(max(START, right + jump))
        judged += await reported(shop, made[0], meter, right)
        if place % 2:
            await shop.bill_all()
        else:
            await shop.bill(made[place % len(made)].id)
        await shop.set_clock(right)
        await shop.bill_all()
    ahead = max([timedelta(0), *jumps(seed, many, farthest)])
    await shop.set_clock(right + 62 * DAY)
    judged += await reported(shop, made[0], meter, right)
    await shop.set_clock(right + 62 * DAY + ahead)
    await shop.bill_all()
    assert judged["new"] == DAYS * EVENTS_A_DAY, judged
    for each in made:
        await require_whole(shop, each, until=shop.now)
    assert await used(shop, made[0]) == DAYS * EVENTS_A_DAY * 25
    assert await shop.wrong() == []


async def require_whole(shop: Shop, subscription: Subscription, *, until: datetime) -> None:
    """Every instant is covered once, for the fee and for the meter."""
    found = await shop.periods(subscription.id)
    for kind in ("fee", "usage"):
        periods = [(start, end) for kept, start, end, _ in found if kept == kind]
        assert periods[0][0] == "2026-01-01"
        assert all(one[1] == two[0] for one, two in pairwise(periods))
        assert periods[-1][1] >= f"{until - 31 * DAY:%Y-%m-%d}"


async def used(shop: Shop, subscription: Subscription) -> int:
    """What was asked for usage, by the period or as an adjustment."""
    connection = await shop.world.house.as_owner()
    try:
        query = """
            SELECT coalesce(sum(l.amount_minor), 0) FROM invoice_lines AS l
            JOIN invoices AS i ON i.org_id = l.org_id AND i.id = l.invoice_id
            WHERE i.subscription_id = $1 AND l.type <> 'subscription'
        """
        return int(await connection.fetchval(query, uuid_of(subscription.id)))
    finally:
        await connection.close()


async def test_a_clock_that_jumps_bills_each_period_once(world: World) -> None:
    # Seconds, hours, weeks ahead and back: no period twice, none missed, each event counted once.
    await live(world, seed=1, many=6, farthest=40 * DAY)


@pytest.mark.proof
@pytest.mark.parametrize("seed", [2, 3])
async def test_a_clock_that_jumps_by_years_bills_each_period_once(world: World, seed: int) -> None:
    # The same with ten years to either side.
    await live(world, seed, many=20, farthest=3_650 * DAY)


async def test_a_lease_from_the_future_holds_nobody_up(world: World) -> None:
    # Somebody leased it by a clock that was years ahead, and died: it is due all the same.
    shop = await a_shop(world)
    subscription = await shop.subscribe(await shop.plan())
    assert not await is_leased_anew(shop, subscription, timedelta(seconds=30))
    assert await is_leased_anew(shop, subscription, 3_650 * DAY)
    await shop.bill(subscription.id)


async def is_leased_anew(shop: Shop, subscription: Subscription, held: timedelta) -> bool:
    """Whether a worker takes what is leased for so long; it gives everything back."""
    connection = await shop.world.house.as_owner()
    try:
        attempt = connection.transaction()
        await attempt.start()
        await connection.execute(
            "UPDATE agenda SET leased_until = now() + $2 WHERE subject_id = $1",
            uuid_of(subscription.id),
            held,
        )
        found = await doors.claim_due(connection, 10_000, timedelta(minutes=1))
        await attempt.rollback()
    finally:
        await connection.close()
    return uuid_of(subscription.id) in {each.subject for each in found}
