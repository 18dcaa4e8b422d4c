"""Plans and meters over HTTP: every pricing model, versions of prices, and the end of a plan."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.support.world import Org

PLANS, METERS = "/v1/plans", "/v1/meters"
FLAT = {
    "name": "Basic",
    "pricingModel": "flat_rate",
    "amountCents": 1999,
    "billingInterval": "month",
}
TIERS = [
    {"upTo": 1000, "unitAmountCents": 0},
    {"upTo": 5000, "unitAmountDecimal": "0.25", "flatAmountCents": 500},
    {"unitAmountDecimal": "0.000000000001"},
]


async def a_meter(owner: Client, key: str, aggregation: str = "sum", **more: Any) -> Any:
    body = {"name": key, "key": key, "aggregation": aggregation, **more}
    made = await owner.post(METERS, body)
    assert made.status == 201, made.body
    return made.value


async def test_a_flat_plan(owner: Client) -> None:
    # What is left out has its default; the plan is found where the answer says.
    made = await owner.post(PLANS, FLAT)
    assert made.status == 201, made.body
    assert made.value["id"].startswith("plan_")
    assert FLAT.items() <= made.value.items()
    assert (made.value["status"], made.value["currency"]) == ("active", "usd")
    assert (made.value["trialPeriodDays"], made.value["priceVersion"]) == (0, 1)
    assert (made.value["metadata"], made.value["charges"], made.value["tiers"]) == ({}, [], [])
    found = await owner.get(made.headers["location"])
    assert found.value == made.value


async def test_every_model(owner: Client) -> None:
    # A base fee, seats, tiers, packages and prices below a cent come back as they were given.
    meter = await a_meter(owner, "calls")
    for model, terms in {
        "per_unit": {"unitAmountDecimal": "0.0025"},
        "graduated": {"tiers": TIERS, "meterId": meter["id"]},
        "volume": {"tiers": TIERS},
        "package": {"amountCents": 500, "packageSize": 100},
    }.items():
        body = {"name": model, "pricingModel": model, "billingInterval": "year", **terms}
        made = await owner.post(PLANS, body)
        assert made.status == 201, made.body
        shown = made.value
        assert (shown["pricingModel"], shown["meterId"]) == (model, terms.get("meterId"))
        assert shown["packageSize"] == terms.get("packageSize")
        assert [tier["upTo"] for tier in shown["tiers"]] == (
            [1000, 5000, None] if "tiers" in terms else []
        )
    listed = await owner.get(f"{PLANS}?limit=4")
    volume = next(each for each in listed.value if each["pricingModel"] == "volume")
    assert volume["tiers"][1] == {
        "upTo": 5000,
        "unitAmountCents": None,
        "unitAmountDecimal": "0.25",
        "flatAmountCents": 500,
    }
    assert volume["tiers"][2]["unitAmountDecimal"] == "0.000000000001"


async def test_charges_on_top(owner: Client) -> None:
    # A yearly base fee with usage billed by the month.
    meter = await a_meter(owner, "gigabytes", "max")
    charge = {
        "meterId": meter["id"],
        "pricingModel": "per_unit",
        "unitAmountDecimal": "1.5",
        "name": "Storage",
    }
    body = {**FLAT, "billingInterval": "year", "charges": [charge]}
    made = await owner.post(PLANS, body)
    assert made.status == 201, made.body
    (shown,) = made.value["charges"]
    assert (shown["meterId"], shown["billingInterval"]) == (meter["id"], "month")
    assert (shown["amountCents"], shown["unitAmountDecimal"]) == (None, "1.5")
    twice = await owner.post(PLANS, {**body, "charges": [charge, charge]})
    assert (twice.status, twice.fields) == (400, {"charges[1].meterId"})


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "x" * 101}, {"name"}),
        ({"description": "x" * 501}, {"description"}),
        ({"amountCents": -1}, {"amountCents"}),
        ({"amountCents": 1.5}, {"amountCents"}),
        ({"amountCents": "1999"}, {"amountCents"}),
        ({"unitAmountDecimal": "1"}, {"amountCents"}),
        ({"pricingModel": "auction"}, {"pricingModel"}),
        ({"billingInterval": "week"}, {"billingInterval"}),
        ({"trialPeriodDays": -1}, {"trialPeriodDays"}),
        ({"currency": "USD"}, {"currency"}),
        ({"tiers": TIERS}, {"tiers"}),
        ({"packageSize": 10}, {"packageSize"}),
        ({"pricingModel": "volume"}, {"amountCents"}),
        ({"pricingModel": "package"}, {"packageSize"}),
        ({"meterId": "mtr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"}, {"meterId"}),
        (
            {
                "charges": [
                    {
                        "meterId": "mtr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c",
                        "pricingModel": "per_unit",
                        "amountCents": 1,
                    }
                ]
            },
            {"charges[0].meterId"},
        ),
    ],
)
async def test_what_is_refused(change: dict[str, Any], fields: set[str], owner: Client) -> None:
    # Each is a 400 that names the field, and nothing is made.
    before = (await owner.get(PLANS)).json["meta"]["totalCount"]
    answer = await owner.post(PLANS, {**FLAT, **change})
    assert (answer.status, answer.fields) == (400, fields), answer.body
    assert (await owner.get(PLANS)).json["meta"]["totalCount"] == before


async def test_another_price_is_a_new_version(owner: Client, org: Org) -> None:
    # The same price again changes nothing; words alone change no price.
    made = await owner.post(PLANS, {**FLAT, "metadata": {"a": "1"}})
    path, price_id = f"{PLANS}/{made.value['id']}", made.value["priceId"]
    same = await owner.patch(path, {"amountCents": 1999})
    assert (same.value["priceVersion"], same.value["version"]) == (1, 1)
    words = await owner.patch(path, {"name": "Starter", "metadata": {"b": "2"}})
    assert (words.value["priceVersion"], words.value["priceId"]) == (1, price_id)
    assert words.value["metadata"] == {"a": "1", "b": "2"}
    dearer = await owner.patch(path, {"amountCents": 2499})
    assert (dearer.value["priceVersion"], dearer.value["amountCents"]) == (2, 2499)
    tiered = await owner.patch(path, {"pricingModel": "volume", "tiers": TIERS})
    assert (tiered.value["priceVersion"], tiered.value["amountCents"]) == (3, None)
    assert (await owner.patch(path, {"amountCents": 1})).fields == {"amountCents"}
    log = await owner.get(f"/v1/events?resourceId={made.value['id']}")
    assert [each["type"] for each in log.value] == ["plan.created", *["plan.updated"] * 3]
    connection = await org.world.house.as_owner()
    try:
        query = "SELECT count(*) FROM prices AS p WHERE p.plan_id = $1::uuid"
        assert await connection.fetchval(query, made.value["id"][5:]) == 3
    finally:
        await connection.close()


async def test_an_archived_plan(owner: Client) -> None:
    # It is listed among the archived, and neither edited nor archived again.
    made = await owner.post(PLANS, FLAT)
    path = f"{PLANS}/{made.value['id']}"
    archived = await owner.post(f"{path}/archive")
    assert (archived.status, archived.value["status"]) == (200, "archived")
    for answer in (
        await owner.patch(path, {"name": "Else"}),
        await owner.post(f"{path}/archive"),
    ):
        assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
        assert answer.error["currentStatus"] == "archived"
        assert answer.error["allowedTransitions"] == []
    listed = await owner.get(f"{PLANS}?status=archived")
    assert made.value["id"] in [each["id"] for each in listed.value]
    listed = await owner.get(f"{PLANS}?status=active")
    assert made.value["id"] not in [each["id"] for each in listed.value]


async def test_meters(owner: Client) -> None:
    # A key is used once; what makes no sense is named.
    made = await a_meter(owner, "requests", "unique", property="userId", thresholds=[10, 100])
    assert (made["property"], made["thresholds"]) == ("userId", [10, 100])
    assert (await owner.get(f"{METERS}/{made['id']}")).value == made
    found = await owner.get(f"{METERS}?key=requests")
    assert [each["id"] for each in found.value] == [made["id"]]
    taken = await owner.post(METERS, {"name": "R", "key": "requests", "aggregation": "sum"})
    assert (taken.status, taken.error["code"]) == (409, "CONFLICT")
    for change, fields in (
        ({"aggregation": "median"}, {"aggregation"}),
        ({"aggregation": "unique"}, {"property"}),
        ({"aggregation": "count", "property": "a"}, {"property"}),
        ({"key": "Requests"}, {"key"}),
        ({"thresholds": [2, 1]}, {"thresholds"}),
        ({"thresholds": [0]}, {"thresholds[0]"}),
    ):
        body = {"name": "M", "key": "other", "aggregation": "sum", **change}
        answer = await owner.post(METERS, body)
        assert (answer.status, answer.fields) == (400, fields), answer.body
