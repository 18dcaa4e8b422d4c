"""Coupons over HTTP."""

from typing import Any

import pytest
from tests.api.client import Client

COUPONS = "/v1/coupons"


async def test_a_coupon(owner: Client) -> None:
    # Offered, found, archived once, listed among the archived.
    body = {"name": "Spring", "duration": "repeating", "months": 3, "percentOff": "12.5"}
    made = await owner.post(COUPONS, body)
    assert made.status == 201, made.body
    assert body.items() <= made.value.items()
    assert (made.value["amountOffCents"], made.value["currency"]) == (None, None)
    path = made.headers["location"]
    assert (await owner.get(path)).value == made.value
    archived = await owner.post(f"{path}/archive")
    assert (archived.status, archived.value["status"]) == (200, "archived")
    again = await owner.post(f"{path}/archive")
    assert (again.status, again.error["currentStatus"]) == (409, "archived")
    listed = await owner.get(f"{COUPONS}?status=archived")
    assert made.value["id"] in [each["id"] for each in listed.value]


async def test_an_amount_has_a_currency(owner: Client) -> None:
    # The organization's, unless another is named.
    body = {"name": "Five", "duration": "once", "amountOffCents": 500}
    assert (await owner.post(COUPONS, body)).value["currency"] == "usd"
    assert (await owner.post(COUPONS, {**body, "currency": "eur"})).value["currency"] == "eur"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"percentOff": "0"}, "percentOff"),
        ({"percentOff": "100.0001"}, "percentOff"),
        ({"percentOff": 20}, "percentOff"),
        ({"percentOff": None}, "percentOff"),
        ({"amountOffCents": 5}, "percentOff"),
        ({"percentOff": None, "amountOffCents": 0}, "amountOffCents"),
        ({"currency": "usd"}, "currency"),
        ({"duration": "repeating"}, "months"),
        ({"months": 3}, "months"),
        ({"duration": "weekly"}, "duration"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_is_refused(change: dict[str, Any], field: str, owner: Client) -> None:
    # Each is a 400 that names the field.
    body = {"name": "C", "duration": "once", "percentOff": "20", **change}
    answer = await owner.post(COUPONS, body)
    assert (answer.status, answer.fields) == (400, {field}), answer.body
