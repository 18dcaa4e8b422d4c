"""Subscriptions over HTTP: their life from the first period to the last, previewed and done."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.client import Client
from tests.support.world import Org

PATH = "/v1/subscriptions"


async def a_plan(owner: Client, cents: int = 3100, **more: Any) -> Any:
    body = {
        "name": f"Plan {cents}",
        "pricingModel": "per_unit",
        "amountCents": cents,
        "billingInterval": "month",
        **more,
    }
    made = await owner.post("/v1/plans", body)
    assert made.status == 201, made.body
    return made.value


async def subscribed(owner: Client, org: Org, plan: Any, **more: Any) -> Any:
    customer = await org.customer(token=None)
    body = {"customerId": customer.id, "planId": plan["id"], **more}
    made = await owner.post(PATH, body)
    assert made.status == 201, made.body
    return made.value


def wire(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def amounts(value: Any) -> list[int]:
    return [line["amountCents"] for line in value["lines"]]


async def test_a_new_subscription(owner: Client, org: Org) -> None:
    # It runs from today, is found where the answer says, and leaves its first line to billing.
    plan = await a_plan(owner)
    made = await subscribed(owner, org, plan, quantity=2, metadata={"a": "b"})
    assert made["id"].startswith("sub_")
    assert (made["status"], made["quantity"], made["planId"]) == ("active", 2, plan["id"])
    assert made["currentPeriodStart"] == made["startDate"]
    assert (made["cancelAtPeriodEnd"], made["trialEnd"], made["metadata"]) == (
        False,
        None,
        {"a": "b"},
    )
    (line,) = made.pop("lines")
    assert line["kind"] == "subscription"
    assert line["periodStart"] == made["currentPeriodStart"]
    found = await owner.get(f"{PATH}/{made['id']}")
    assert found.value == made
    waiting = await owner.get(f"{PATH}/{made['id']}/pending-lines")
    assert [each["amountCents"] for each in waiting.value] == [line["amountCents"]]


async def test_a_customer_subscribes_to_a_plan_once(owner: Client, org: Org) -> None:
    # The second one is told which is running; after its end there may be another.
    plan, customer = await a_plan(owner), await org.customer(token=None)
    body = {"customerId": customer.id, "planId": plan["id"]}
    first = (await owner.post(PATH, body)).value
    second = await owner.post(PATH, body)
    assert (second.status, second.error["subscriptionId"]) == (409, first["id"])
    ended = await owner.post(f"{PATH}/{first['id']}/cancel", {"atPeriodEnd": False})
    assert ended.value["status"] == "canceled"
    assert (await owner.post(PATH, body)).status == 201
    back = await owner.post(f"{PATH}/{first['id']}/reactivate")
    assert back.status == 409


async def test_who_may_not_be_subscribed(owner: Client, org: Org) -> None:
    # Not to an archived plan, not in another currency, not somebody deleted, not too far away.
    customer = await org.customer(token=None)
    plan = await a_plan(owner)
    body = {"customerId": customer.id, "planId": plan["id"]}
    far = await owner.post(PATH, {**body, "startDate": wire(datetime(2190, 1, 1, tzinfo=UTC))})
    assert (far.status, far.fields) == (400, {"startDate"})
    euros = await a_plan(owner, currency="eur")
    mixed = await owner.post(PATH, {**body, "planId": euros["id"]})
    assert (mixed.status, mixed.fields) == (400, {"planId"})
    await owner.post(f"/v1/plans/{plan['id']}/archive")
    assert (await owner.post(PATH, body)).status == 409
    await owner.delete(f"/v1/customers/{customer.id}")
    again = await a_plan(owner)
    assert (await owner.post(PATH, {**body, "planId": again["id"]})).status == 404


async def test_whoever_is_subscribed_stays(owner: Client, org: Org) -> None:
    # A customer with a running subscription is not deleted, and neither is their organization.
    made = await subscribed(owner, org, await a_plan(owner))
    kept = await owner.delete(f"/v1/customers/{made['customerId']}")
    assert kept.status == 409
    assert "subscription" in kept.error["message"]
    ending = await owner.delete(f"/v1/organizations/{org.id}")
    assert (ending.status, ending.error["unfinished"]["subscriptions"]) == (409, 1)


async def test_a_trial(owner: Client, org: Org) -> None:
    # The plan's days, or until the instant given, or none at all; nothing is due in it.
    plan = await a_plan(owner, trialPeriodDays=14)
    trial = await subscribed(owner, org, plan)
    assert (trial["status"], trial["lines"]) == ("trialing", [])
    assert trial["currentPeriodEnd"] == trial["trialEnd"]
    end = wire(datetime.now(UTC) + timedelta(days=3))
    longer = await subscribed(owner, org, plan, trialEnd=end)
    assert longer["trialEnd"] == end
    none = await subscribed(owner, org, plan, trialEnd=None)
    assert (none["status"], none["trialEnd"]) == ("active", None)


async def test_a_start_in_the_past_and_one_ahead(owner: Client, org: Org) -> None:
    # What has begun is due for each period; what has not begun waits for its day.
    plan, now = await a_plan(owner), datetime.now(UTC)
    past = await subscribed(owner, org, plan, startDate=wire(now - timedelta(days=70)))
    assert len(past["lines"]) == 3
    assert past["currentPeriodStart"] <= wire(now) < past["currentPeriodEnd"]
    ahead = await subscribed(owner, org, plan, startDate=wire(now + timedelta(days=40)))
    (line,) = ahead["lines"]
    assert line["dueAt"] == ahead["currentPeriodStart"] > wire(now)
    moved = await owner.patch(f"{PATH}/{ahead['id']}", {"quantity": 2})
    assert amounts(moved.value) == [2 * line["amountCents"]]
    waiting = await owner.get(f"{PATH}/{ahead['id']}/pending-lines")
    assert [each["amountCents"] for each in waiting.value] == amounts(moved.value)
    await owner.post(f"{PATH}/{ahead['id']}/cancel", {"atPeriodEnd": False})
    assert (await owner.get(f"{PATH}/{ahead['id']}/pending-lines")).value == []


async def test_a_preview_is_what_happens(owner: Client, org: Org) -> None:
    # The same lines, and until they are asked for in earnest nothing is there.
    made = await subscribed(owner, org, await a_plan(owner))
    other = await a_plan(owner, 6200)
    change = f"{PATH}/{made['id']}/change-plan"
    body = {"planId": other["id"], "quantity": 2}
    shown = await owner.post(f"{change}?dryRun=true", body)
    assert shown.status == 200, shown.body
    assert (await owner.get(f"{PATH}/{made['id']}")).value["planId"] == made["planId"]
    done = (await owner.post(change, body)).value
    assert (done["planId"], done["quantity"]) == (other["id"], 2)
    credit, charge = amounts(done)
    assert credit < 0 < charge
    for before, after in zip(amounts(shown.value), (credit, charge), strict=True):
        assert abs(before - after) <= 1  # a moment passed


async def test_a_change_that_waits(owner: Client, org: Org) -> None:
    # It is kept and shown; the plan it has now takes it back.
    made = await subscribed(owner, org, await a_plan(owner))
    other = await a_plan(owner, 6200)
    change = f"{PATH}/{made['id']}/change-plan"
    later = {"planId": other["id"], "proration": "at_period_end"}
    kept = (await owner.post(change, later)).value
    assert (kept["planId"], kept["lines"]) == (made["planId"], [])
    assert kept["scheduledChange"] == {"planId": other["id"], "priceVersion": 1, "quantity": 1}
    same = {"planId": made["planId"], "proration": "at_period_end"}
    assert (await owner.post(change, same)).value["scheduledChange"] is None


async def test_another_interval_begins_anew(owner: Client, org: Org) -> None:
    # A year from today, and the rest of the month comes back.
    made = await subscribed(owner, org, await a_plan(owner))
    yearly = await a_plan(owner, 30_000, billingInterval="year")
    done = await owner.post(f"{PATH}/{made['id']}/change-plan", {"planId": yearly["id"]})
    credit, charge = amounts(done.value)
    assert credit < 0
    assert charge in {30_000, *range(27_000, 30_000)}
    assert done.value["currentPeriodEnd"] > made["currentPeriodEnd"]


async def test_pause_and_resume(owner: Client, org: Org) -> None:
    # What is left comes back and is charged again; a state that cannot says what it can.
    made = await subscribed(owner, org, await a_plan(owner))
    path = f"{PATH}/{made['id']}"
    paused = await owner.post(f"{path}/pause")
    assert paused.value["status"] == "paused"
    (credit,) = amounts(paused.value)
    twice = await owner.post(f"{path}/pause")
    assert (twice.status, twice.error["currentStatus"]) == (409, "paused")
    assert sorted(twice.error["allowedTransitions"]) == ["active", "canceled"]
    assert (await owner.patch(path, {"quantity": 2})).status == 409
    back = await owner.post(f"{path}/resume")
    assert back.value["status"] == "active"
    (charge,) = amounts(back.value)
    assert -1 <= charge + credit <= 1


async def test_a_cancellation_and_its_regret(owner: Client, org: Org) -> None:
    # With the period, with a reason, taken back; now, and taken back within the grace.
    made = await subscribed(owner, org, await a_plan(owner))
    path = f"{PATH}/{made['id']}"
    planned = (await owner.post(f"{path}/cancel", {"reason": "too dear"})).value
    assert (planned["status"], planned["cancelAtPeriodEnd"]) == ("active", True)
    assert planned["cancellationReason"] == "too dear"
    kept = (await owner.post(f"{path}/reactivate")).value
    assert (kept["cancelAtPeriodEnd"], kept["canceledAt"]) == (False, None)
    now = {"atPeriodEnd": False, "creditUnusedTime": True}
    ended = (await owner.post(f"{path}/cancel", now)).value
    assert ended["status"] == "canceled"
    assert amounts(ended)[0] < 0
    back = (await owner.post(f"{path}/reactivate")).value
    assert (back["status"], back["endedAt"]) == ("active", None)
    assert amounts(back)[0] > 0
    assert (await owner.post(f"{path}/reactivate")).status == 409


async def test_no_grace(owner: Client, org: Org) -> None:
    # Without days of grace an end is an end.
    await owner.patch(f"/v1/organizations/{org.id}", {"reactivationGraceDays": 0})
    made = await subscribed(owner, org, await a_plan(owner))
    path = f"{PATH}/{made['id']}"
    await owner.post(f"{path}/cancel", {"atPeriodEnd": False})
    back = await owner.post(f"{path}/reactivate")
    assert back.status == 409
    assert back.error["docUrl"].endswith("grace_is_over")


async def test_coupons_of_a_subscription(owner: Client, org: Org) -> None:
    # Several, in order; one given in the middle of a period is for the next; archived ones no more.
    async def coupon(**terms: Any) -> str:
        made = await owner.post("/v1/coupons", {"name": "C", "duration": "forever", **terms})
        return str(made.value["id"])

    plan = await a_plan(owner)
    first, second = await coupon(percentOff="20"), await coupon(amountOffCents=100)
    made = await subscribed(owner, org, plan, couponIds=[first])
    assert [each["couponId"] for each in made["coupons"]] == [first]
    assert made["coupons"][0]["since"] == made["currentPeriodStart"]
    path = f"{PATH}/{made['id']}"
    both = (await owner.patch(path, {"couponIds": [first, second]})).value
    end = made["currentPeriodEnd"]
    assert both["coupons"][1] == {"couponId": second, "since": end, "until": None}
    (ending,) = (await owner.patch(path, {"couponId": None})).value["coupons"]
    assert (ending["couponId"], ending["until"]) == (first, end)
    await owner.post(f"/v1/coupons/{first}/archive")
    (kept,) = (await owner.patch(path, {"couponId": first})).value["coupons"]
    assert kept["until"] is None  # it has it still
    other = await subscribed(owner, org, plan)
    given = await owner.patch(f"{PATH}/{other['id']}", {"couponId": first})
    assert given.status == 409
    twice = await owner.patch(path, {"couponIds": [second, second]})
    assert (twice.status, twice.fields) == (400, {"couponIds"})
    euros = await coupon(amountOffCents=100, currency="eur")
    assert (await owner.patch(path, {"couponId": euros})).fields == {"couponIds"}


async def test_lists(owner: Client, org: Org) -> None:
    # By customer, by plan, by state.
    plan = await a_plan(owner)
    made = await subscribed(owner, org, plan)
    for query in (
        f"customerId={made['customerId']}",
        f"planId={plan['id']}&status=active,past_due",
        "limit=1",
    ):
        found = await owner.get(f"{PATH}?{query}")
        assert [each["id"] for each in found.value] == [made["id"]], query
    assert (await owner.get(f"{PATH}?status=paused")).value == []


async def test_what_a_subscription_names(owner: Client, org: Org) -> None:
    # Its customer and its plan stand beside it when they are asked for, as their own routes do.
    plan = await a_plan(owner)
    made = await subscribed(owner, org, plan)
    found = (await owner.get(f"{PATH}/{made['id']}?expand=customer,plan")).value
    assert found["plan"] == plan
    assert found["customer"]["id"] == made["customerId"]
    waiting = await owner.get(f"{PATH}/{made['id']}/pending-lines?expand=subscription.plan")
    assert waiting.value[0]["subscription"]["plan"]["id"] == plan["id"]
