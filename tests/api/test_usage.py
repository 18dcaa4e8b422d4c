"""Usage over HTTP: once each for ever, in time or not at all, and summed up to the cent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.api.client import Client
from tests.support.agreements import Agree, a_meter, a_plan, a_subscription, agree, per_unit
from tests.support.world import Org

from bursar.domain.meters import Aggregation, Meter
from bursar.domain.subscriptions import Subscription

USAGE = "/v1/usage"
NDJSON = "application/x-ndjson"


def at(**ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(**ago)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(subscription: Subscription, key: str, quantity: int = 5, **more: Any) -> dict[str, Any]:
    return {
        "subscriptionId": subscription.id,
        "idempotencyKey": key,
        "quantity": quantity,
        "timestamp": at(minutes=1),
        **more,
    }


@pytest.fixture
async def meter(org: Org) -> Meter:
    return await a_meter(org)


@pytest.fixture
async def subscription(org: Org, meter: Meter) -> Subscription:
    began = datetime.now(UTC) - timedelta(days=100)
    return await a_subscription(org, await a_plan(org, per_unit(meter, "0.25")), began)


async def summary(owner: Client, subscription: Subscription, query: str = "") -> Any:
    answer = await owner.get(f"{USAGE}/subscriptions/{subscription.id}/summary{query}")
    assert answer.status == 200, answer.body
    return answer.value


async def test_an_event_counts_once(
    owner: Client, subscription: Subscription, meter: Meter
) -> None:
    # Again is a 200 with the same event; something else under its key is a 409.
    body = event(subscription, "once", properties={"region": "eu", "size": 3})
    first = await owner.post(USAGE, body)
    assert first.status == 201, first.body
    assert first.value["id"].startswith("ue_")
    assert (first.value["quantity"], first.value["meterId"]) == (5, meter.id)
    assert first.value["properties"] == {"region": "eu", "size": 3}
    for same in (body, {**body, "meterId": meter.id}):
        again = await owner.post(USAGE, same)
        assert (again.status, again.value) == (200, first.value)
    changes: tuple[dict[str, Any], ...] = (
        {"quantity": 6},
        {"timestamp": at(minutes=2)},
        {"properties": {}},
    )
    for change in changes:
        other = await owner.post(USAGE, {**body, **change})
        assert (other.status, other.error["code"]) == (409, "CONFLICT")
    assert (await summary(owner, subscription))["totalQuantity"] == 5


async def test_two_organizations_have_keys_of_their_own(
    owner: Client, subscription: Subscription, org: Org, anyone: Client
) -> None:
    # What one calls its event says nothing about another's.
    other = await org.world.org()
    theirs = await a_subscription(other, await a_plan(other))
    there = anyone.bearing(other.access_token, other.id)
    assert (await owner.post(USAGE, event(subscription, "shared"))).status == 201
    assert (await there.post(USAGE, event(theirs, "shared"))).status == 201
    foreign = await owner.post(USAGE, event(theirs, "mine"))
    assert (foreign.status, foreign.error["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"quantity": 0}, "quantity", "out_of_range"),
        ({"quantity": -5}, "quantity", "out_of_range"),
        ({"quantity": 1.5}, "quantity", "float"),
        ({"quantity": "5"}, "quantity", "wrong_type"),
        ({"idempotencyKey": ""}, "idempotencyKey", "wrong_format"),
        ({"idempotencyKey": "k" * 256}, "idempotencyKey", "wrong_length"),
        ({"timestamp": "yesterday"}, "timestamp", "wrong_format"),
        ({"timestamp": "2026-01-31T09:30:60Z"}, "timestamp", "wrong_format"),
        ({"timestamp": at(hours=-2)}, "timestamp", "in_the_future"),
        ({"timestamp": at(days=36)}, "timestamp", "too_late"),
        ({"properties": {"a": 1.5}}, "properties.a", "float"),
        ({"properties": {"a": None}}, "properties.a", "wrong_type"),
        ({"meterId": "mtr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"}, "meterId", "unknown_meter"),
    ],
)
async def test_what_is_refused(
    change: dict[str, Any], field: str, code: str, owner: Client, subscription: Subscription
) -> None:
    # Each is a 400 that names the field; nothing is counted.
    answer = await owner.post(USAGE, {**event(subscription, "bad"), **change})
    assert (answer.status, answer.fields) == (400, {field}), answer.body
    assert answer.codes == {code}
    assert (await summary(owner, subscription))["totalQuantity"] == 0


async def test_just_in_time(owner: Client, subscription: Subscription) -> None:
    # An hour ahead is a clock that is wrong; 35 days back is late, and counts for its own day.
    assert (
        await owner.post(USAGE, event(subscription, "a", timestamp=at(minutes=-59)))
    ).status == 201
    late = await owner.post(USAGE, event(subscription, "b", 7, timestamp=at(days=34.9)))
    assert late.status == 201
    window = f"?periodStart={at(days=34.95)}&periodEnd={at(days=34.85)}"
    assert (await summary(owner, subscription, window))["totalQuantity"] == 7


async def test_outside_of_the_subscription(owner: Client, org: Org) -> None:
    # Before it began and after it ended nothing can be used.
    plan = await a_plan(org)
    fresh = await a_subscription(org, plan)
    early = await owner.post(USAGE, event(fresh, "early", timestamp=at(days=2)))
    assert (early.status, early.codes) == (400, {"not_subscribed"})
    customer = await org.customer(token=None)
    began = datetime.now(UTC) - timedelta(days=20)
    ended = await org.caller.run(
        agree, Agree(customer.id, plan, began, ended_at=datetime.now(UTC) - timedelta(hours=1))
    )
    assert (await owner.post(USAGE, event(ended, "late"))).codes == {"not_subscribed"}
    inside = event(ended, "inside", timestamp=at(hours=2))
    assert (await owner.post(USAGE, inside)).status == 201


async def test_which_meter(owner: Client, org: Org) -> None:
    # One metered price needs no name; several do; none is counted and not billed.
    one, two = await a_meter(org), await a_meter(org, Aggregation.COUNT)
    both = await a_subscription(org, await a_plan(org, per_unit(one, "100"), per_unit(two, "7")))
    assert (await owner.post(USAGE, event(both, "x"))).fields == {"meterId"}
    assert (await owner.post(USAGE, event(both, "x", meterId=two.id))).status == 201
    assert (await owner.post(USAGE, event(both, "y", 3, meterId=one.id))).status == 201
    shown = await summary(owner, both)
    assert [(each["quantity"], each["amountCents"]) for each in shown["meters"]] == [
        (3, 300),
        (1, 7),
    ]
    assert (shown["totalQuantity"], shown["amountCents"]) == (4, 307)
    none = await a_subscription(org, await a_plan(org))
    taken = await owner.post(USAGE, event(none, "z", 9))
    assert (taken.status, taken.value["meterId"]) == (201, None)
    shown = await summary(owner, none)
    assert (shown["totalQuantity"], shown["amountCents"]) == (9, 0)


async def test_what_a_meter_looks_at(owner: Client, org: Org) -> None:
    # A property that is missing or of the wrong kind is named.
    largest = await a_meter(org, Aggregation.MAX, property_name="size")
    users = await a_meter(org, Aggregation.UNIQUE, property_name="user")
    plan = await a_plan(org, per_unit(largest, "10"), per_unit(users, "100"))
    subscription = await a_subscription(org, plan)
    for number, (meter, properties) in enumerate(
        [(largest, {"size": 3}), (largest, {"size": 8}), (largest, {"size": 5})]
        + [(users, {"user": name}) for name in ("ada", "bob", "ada")]
    ):
        body = event(subscription, f"p{number}", meterId=meter.id, properties=properties)
        assert (await owner.post(USAGE, body)).status == 201
    shown = await summary(owner, subscription)
    assert [(each["quantity"], each["amountCents"]) for each in shown["meters"]] == [
        (8, 80),
        (2, 200),
    ]
    for meter, properties in ((largest, {}), (largest, {"size": "8"}), (largest, {"size": -1})):
        body = event(subscription, "bad", meterId=meter.id, properties=properties)
        assert (await owner.post(USAGE, body)).fields == {"properties.size"}


async def test_a_batch(owner: Client, subscription: Subscription) -> None:
    # Each by itself: taken, known already, or rejected with its place and why.
    events = [
        event(subscription, "b1"),
        event(subscription, "b2", 7),
        event(subscription, "b1"),
        event(subscription, "b2", 8),
        event(subscription, "b3", timestamp=at(days=40)),
        {**event(subscription, "b4"), "subscriptionId": "sub_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"},
    ]
    events[2]["timestamp"] = events[0]["timestamp"]
    answer = await owner.post(f"{USAGE}/batch", {"events": events})
    assert answer.status == 200, answer.body
    assert (answer.value["accepted"], answer.value["duplicates"]) == (2, 1)
    rejected = {each["index"]: each["code"] for each in answer.value["rejected"]}
    assert rejected == {3: "CONFLICT", 4: "VALIDATION_ERROR", 5: "NOT_FOUND"}
    again = await owner.post(f"{USAGE}/batch", {"events": events})
    assert (again.value["accepted"], again.value["duplicates"]) == (0, 3)
    assert (await summary(owner, subscription))["totalQuantity"] == 12
    for count in (0, 1001):
        many = {"events": [event(subscription, f"m{number}") for number in range(count)]}
        assert (await owner.post(f"{USAGE}/batch", many)).fields == {"events"}


async def test_a_batch_that_is_malformed_in_parts(
    owner: Client, subscription: Subscription
) -> None:
    # An event that cannot be read rejects itself alone; what is around the events is refused whole.
    events: list[Any] = [event(subscription, "c1"), event(subscription, "c2", quantity=-1)]
    events += [{"quantity": True}, None, 5, event(subscription, "c3")]
    answer = await owner.post(f"{USAGE}/batch", {"events": events})
    assert (answer.status, answer.value["accepted"]) == (200, 2), answer.body
    assert [each["index"] for each in answer.value["rejected"]] == [1, 2, 3, 4]
    assert "quantity" in answer.value["rejected"][0]["message"]
    assert (await summary(owner, subscription))["totalQuantity"] == 10
    bodies: tuple[dict[str, Any], ...] = ({"events": {}}, {}, {"events": [], "more": 1})
    for body in bodies:
        assert (await owner.post(f"{USAGE}/batch", body)).status == 400


async def test_lines(owner: Client, subscription: Subscription) -> None:
    # NDJSON is judged line by line: one that cannot be read rejects itself alone.
    good = [json.dumps(event(subscription, f"l{number}")) for number in range(3)]
    text = "\n".join([good[0], "{", good[1], '{"quantity": 1}', "", good[2], good[2]]) + "\n"
    answer = await owner.post(f"{USAGE}/batch", text.encode(), content_type=NDJSON)
    assert answer.status == 200, answer.body
    assert (answer.value["accepted"], answer.value["duplicates"]) == (3, 1)
    assert [(each["index"], each["code"]) for each in answer.value["rejected"]] == [
        (1, "VALIDATION_ERROR"),
        (3, "VALIDATION_ERROR"),
    ]
    elsewhere = await owner.post(USAGE, text.encode(), content_type=NDJSON)
    assert elsewhere.status == 415


async def test_events_are_listed(owner: Client, subscription: Subscription) -> None:
    # The latest to happen first, in pages.
    for number in range(3):
        body = event(subscription, f"e{number}", timestamp=at(minutes=10 - number))
        assert (await owner.post(USAGE, body)).status == 201
    path = f"{USAGE}/subscriptions/{subscription.id}/events"
    shown = await owner.get(f"{path}?pageSize=2")
    assert [each["idempotencyKey"] for each in shown.value] == ["e2", "e1"]
    assert shown.json["meta"]["totalCount"] == 3


async def test_a_summary_of_a_window(owner: Client, subscription: Subscription) -> None:
    # Half-open, exact to the millisecond; half a window is refused.
    edge = at(minutes=30)
    for key, moment in (("w1", at(minutes=31)), ("w2", edge), ("w3", at(minutes=29))):
        assert (await owner.post(USAGE, event(subscription, key, timestamp=moment))).status == 201
    before = await summary(owner, subscription, f"?periodStart={at(hours=1)}&periodEnd={edge}")
    after = await summary(owner, subscription, f"?periodStart={edge}&periodEnd={at()}")
    assert (before["totalQuantity"], after["totalQuantity"]) == (5, 10)
    nothing = await summary(
        owner, subscription, f"?periodStart={at(days=9)}&periodEnd={at(days=8)}"
    )
    assert (nothing["totalQuantity"], len(nothing["meters"])) == (0, 1)
    path = f"{USAGE}/subscriptions/{subscription.id}/summary"
    assert (await owner.get(f"{path}?periodStart={edge}")).fields == {"periodEnd"}
    assert (await owner.get(f"{path}?periodStart={edge}&periodEnd={edge}")).fields == {"periodEnd"}


async def test_a_threshold_is_told_once(owner: Client, org: Org) -> None:
    # However often it is passed, and by however many events at once.
    meter = await a_meter(org, thresholds=(10, 100))
    subscription = await a_subscription(org, await a_plan(org, per_unit(meter, "1")))
    for key, quantity in (("t1", 9), ("t2", 2), ("t3", 50), ("t4", 60), ("t5", 500)):
        assert (await owner.post(USAGE, event(subscription, key, quantity))).status == 201
        await org.world.drain()
    log = await owner.get("/v1/events?type=usage.threshold_reached")
    told = [
        (each["data"]["threshold"], each["data"]["totalQuantity"])
        for each in log.value
        if each["data"]["meterId"] == meter.id
    ]
    assert told == [(10, 11), (100, 121)]
