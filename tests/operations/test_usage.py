"""Usage in the books: the set of events decides, never order, batches or repetitions."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.agreements import a_meter, a_plan, a_subscription, per_unit
from tests.support.world import Org, World

from bursar.domain.access import ApiKey
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, SubscriptionId, print_id, uuid_of
from bursar.domain.meters import Aggregation
from bursar.domain.paging import Page
from bursar.domain.refusals import NotAllowed, NotFound, Refusal, UsageKeyTaken
from bursar.domain.usage import UsageReport
from bursar.flows.report_usage import EVENTS_SHARED_MAX, report_usage
from bursar.operations.api_keys import CreateApiKey, create_api_key
from bursar.operations.usage import IngestUsage, Taken, Verdict, ingest_usage
from bursar.reads.usage import usage_events, usage_summary
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Idempotency, Replayed
from bursar.runtime.ids import new_uuid

DAY = timedelta(days=1)
AT_ONCE = 8  # a world's pool lends ten connections, and its worker needs some


async def ingest(org: Org, reports: Sequence[UsageReport]) -> tuple[Verdict, ...]:
    return await org.caller.run(ingest_usage, IngestUsage(reports, late_days_max=35))


def new_ones(verdicts: Sequence[Verdict]) -> int:
    return sum(isinstance(each, Taken) and each.is_new for each in verdicts)


def expected(reports: Sequence[UsageReport], aggregation: Aggregation) -> int:
    """By the definition, from the set of events, with pencil and paper."""
    events = {report.key: report for report in reports}.values()
    match aggregation:
        case Aggregation.SUM:
            return sum(each.quantity for each in events)
        case Aggregation.COUNT:
            return len(events)
        case Aggregation.MAX:
            return max(each.quantity for each in events)
        case Aggregation.UNIQUE:
            return len({each.properties["who"] for each in events})
        case Aggregation.LATEST:
            return max(events, key=lambda each: (each.at, each.key)).quantity


EVENTS = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(0, 3 * 24 * 60), st.sampled_from("abc")),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(EVENTS, st.sampled_from(Aggregation), st.data())
async def test_the_order_and_repetitions_change_nothing(
    world: World, events: list[tuple[int, int, str]], aggregation: Aggregation, data: st.DataObject
) -> None:
    # Any order, any cut into batches, any event any number of times: the same quantity.
    org = await world.org()
    name = "who" if aggregation is Aggregation.UNIQUE else None
    meter = await a_meter(org, aggregation, property_name=name)
    began = datetime.now(UTC) - 20 * DAY
    subscription = await a_subscription(org, await a_plan(org, per_unit(meter, "1")), began)
    first = subscription.period.start
    reports = [
        UsageReport(
            subscription.id,
            None,
            f"key-{number}",
            quantity,
            max(first, began) + timedelta(minutes=minute),
            {"who": who},
        )
        for number, (quantity, minute, who) in enumerate(events)
    ]
    reports = [each for each in reports if each.at < datetime.now(UTC)] or reports[:1]
    again = data.draw(st.lists(st.sampled_from(reports), max_size=10))
    shuffled = data.draw(st.permutations([*reports, *again]))
    size = data.draw(st.integers(1, len(shuffled)))
    taken = 0
    for at in range(0, len(shuffled), size):
        verdicts = await ingest(org, shuffled[at : at + size])
        assert not [each for each in verdicts if isinstance(each, Refusal)]
        taken += new_ones(verdicts)
    assert taken == len(reports)
    summary = await org.caller.look(usage_summary, subscription.id, None)
    assert summary.quantity == expected(reports, aggregation)
    assert summary.amount.minor == summary.quantity


async def test_batches_at_once_count_each_event_once(world: World) -> None:
    # Sixteen callers with the same events in different orders, as many at once as connections are
    # lent: nothing waits for ever. More would be told to come again, which is not what is asked.
    org = await world.org()
    meter = await a_meter(org)
    plan = await a_plan(org, per_unit(meter, "1"))
    subscriptions = [await a_subscription(org, plan, datetime.now(UTC) - DAY) for _ in range(5)]
    reports = [
        UsageReport(subscriptions[number % 5].id, None, f"c{number}", 1, datetime.now(UTC), {})
        for number in range(300)
    ]
    orders = [reports[at:] + reports[:at] for at in range(0, 300, 40)]
    orders += [order[::-1] for order in orders]
    gate = asyncio.Semaphore(AT_ONCE)

    async def let_in(order: Sequence[UsageReport]) -> tuple[Verdict, ...]:
        async with gate:
            return await ingest(org, order)

    taken = await asyncio.gather(*(let_in(order) for order in orders))
    assert sum(map(new_ones, taken)) == 300
    for subscription in subscriptions:
        summary = await org.caller.look(usage_summary, subscription.id, None)
        assert summary.quantity == 60


def answered(verdicts: Sequence[Verdict]) -> Answer:
    return Answer(200, str(new_ones(verdicts)).encode())


async def test_reports_that_share_a_commit_are_each_answered_alone(world: World) -> None:
    # Among forty at once: repeated ones, contradicting ones, strange ones, one that may not.
    org = await world.org()
    plan = await a_plan(org, per_unit(await a_meter(org), "1"))
    subscription = await a_subscription(org, plan, datetime.now(UTC) - DAY)
    now = datetime.now(UTC)
    odd = 'a, "b" \\ {NULL} \' é'

    def report(key: str, quantity: int = 1, **properties: str | int) -> UsageReport:
        return UsageReport(subscription.id, None, key, quantity, now, properties)

    nobody = UsageReport(SubscriptionId(print_id("sub", new_uuid())), None, "lost", 1, now, {})
    asked = [
        *((report(f"k{number}"), report("shared")) for number in range(20)),
        *((report("fought over", quantity),) for quantity in (3, 4)),
        (report(odd, said=odd), report("NULL", 1, size=2)),
        (nobody, report("beside it")),
    ]
    reader = await by_key(org, "billing:read")
    tried = replace(org.caller, is_dry_run=True)
    commands = [IngestUsage(each, late_days_max=35) for each in asked]
    *taken, refused, dry = await asyncio.gather(
        *(report_usage(org.caller, each, answered) for each in commands),
        report_usage(reader, commands[0], answered),
        report_usage(tried, IngestUsage((report("tried"),), late_days_max=35), answered),
        return_exceptions=True,
    )
    assert isinstance(refused, NotAllowed)
    assert isinstance(dry, tuple)
    verdicts = [each for each in taken if isinstance(each, tuple)]
    assert len(verdicts) == len(asked)
    assert sum(new_ones(each[1:]) for each in verdicts[:20]) == 1
    assert sum(new_ones(each[:1]) for each in verdicts[:20]) == 20
    (winner,) = [each for (each,) in verdicts[20:22] if isinstance(each, Taken)]
    (loser,) = [each for (each,) in verdicts[20:22] if isinstance(each, Refusal)]
    assert isinstance(loser, UsageKeyTaken)
    assert new_ones(verdicts[22]) == 2
    assert isinstance(verdicts[23][0], NotFound)
    assert new_ones(verdicts[23]) == 1
    kept = await org.caller.look(usage_events, subscription.id, Page(size=100))
    assert {each.key: each.properties for each in kept.items}[odd] == {"said": odd}
    assert "tried" not in {each.key for each in kept.items}
    summary = await org.caller.look(usage_summary, subscription.id, None)
    assert summary.quantity == 20 + 1 + winner.event.quantity + 2 + 1


@pytest.mark.parametrize("count", [1, EVENTS_SHARED_MAX, EVENTS_SHARED_MAX + 1])
async def test_any_number_of_events_under_a_key(world: World, count: int) -> None:
    # Sent twice at once under one key, and again later: taken once, with one answer; a long
    # one goes alone.
    org = await world.org()
    plan = await a_plan(org, per_unit(await a_meter(org), "1"))
    subscription = await a_subscription(org, plan, datetime.now(UTC) - DAY)
    now = datetime.now(UTC)
    reports = [UsageReport(subscription.id, None, f"n{n}", 1, now, {}) for n in range(count)]
    command = IngestUsage(reports, late_days_max=35)
    first, again = (
        replace(org.caller, idempotency=Idempotency("once", b"f" * 32, uuid4())) for _ in range(2)
    )
    came = await asyncio.gather(
        *(report_usage(each, command, answered) for each in (first, again)), return_exceptions=True
    )
    (verdicts,) = [each for each in came if isinstance(each, tuple)]
    assert new_ones(verdicts) == count
    with pytest.raises(Replayed) as replayed:
        await report_usage(again, command, answered)
    assert replayed.value.answer.body == str(count).encode()


async def by_key(org: Org, scope: str) -> Caller:
    issued = await org.caller.run(create_api_key, CreateApiKey(name=scope, scopes=(scope,)))
    return replace(org.caller, actor=ApiKey(issued.record.id, (scope,)), request_id=str(uuid4()))


async def test_thresholds_that_are_reached_together(world: World) -> None:
    # Events of two days at once, each below: whoever commits last leaves a check that sees both.
    org = await world.org()
    meter = await a_meter(org, thresholds=(100,))
    began = datetime.now(UTC) - 5 * DAY
    subscription = await a_subscription(org, await a_plan(org, per_unit(meter, "1")), began)

    def report(key: str, quantity: int, at: datetime) -> list[UsageReport]:
        return [UsageReport(subscription.id, None, key, quantity, at, {})]

    now = datetime.now(UTC)
    first = max(subscription.period.start, now - DAY)
    await asyncio.gather(ingest(org, report("one", 60, now)), ingest(org, report("two", 60, first)))
    await world.drain()
    await ingest(org, report("three", 1000, now))
    await world.drain()
    assert await thresholds(world, subscription.id, meter.id) == [(100, 120)]


async def thresholds(
    world: World, subscription_id: SubscriptionId, meter_id: MeterId
) -> list[tuple[int, int]]:
    connection = await world.house.as_owner()
    try:
        rows = await connection.fetch(
            "SELECT threshold, quantity FROM usage_aggregates"
            " WHERE subscription_id = $1 AND meter_id = $2 ORDER BY threshold",
            uuid_of(subscription_id),
            uuid_of(meter_id),
        )
    finally:
        await connection.close()
    return [(row["threshold"], row["quantity"]) for row in rows]


async def test_a_day_that_changes_is_not_settled_any_more(world: World) -> None:
    # What an invoice knew about is told apart from what came later: the next one adjusts it.
    org = await world.org()
    subscription = await a_subscription(org, await a_plan(org), datetime.now(UTC) - 5 * DAY)
    at = datetime.now(UTC) - 2 * DAY
    connection = await world.house.as_owner()
    try:
        query = "SELECT is_settled, total FROM usage_days WHERE subscription_id = $1"
        settle = "UPDATE usage_days SET is_settled = true WHERE subscription_id = $1"
        key = uuid_of(subscription.id)
        await ingest(org, [UsageReport(subscription.id, None, "s1", 5, at, {})])
        assert tuple(await connection.fetchrow(query, key) or ()) == (False, 5)
        await connection.execute(settle, key)
        await ingest(org, [UsageReport(subscription.id, None, "s1", 5, at, {})])
        assert tuple(await connection.fetchrow(query, key) or ()) == (True, 5)
        await ingest(org, [UsageReport(subscription.id, None, "s2", 2, at, {})])
        assert tuple(await connection.fetchrow(query, key) or ()) == (False, 7)
    finally:
        await connection.close()
