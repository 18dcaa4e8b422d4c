"""Recording what came, and reading what a customer has: over HTTP."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.support.world import Org


async def an_open_invoice(org: Org) -> Any:
    return await org.invoice(await org.customer(token=None), 5000)


def body(**changes: Any) -> dict[str, Any]:
    known = {"amountCents": 6000, "method": "check", "receivedAt": "2026-01-05T00:00:00.000Z"}
    return known | changes


async def test_a_check_pays_and_the_rest_is_credit(owner: Client, org: Org) -> None:
    # The payment is the answer; the balance and the timeline tell the same.
    made = await an_open_invoice(org)
    path = f"/v1/invoices/{made.id}/record-payment"
    answer = await owner.post(path, body(reference="no. 7"))
    assert answer.status == 201, answer.body
    told = answer.value
    assert (told["mode"], told["status"], told["creditedCents"]) == ("manual", "succeeded", 1000)
    assert (told["receiptMethod"], told["reference"]) == ("check", "no. 7")
    balance = await owner.get(f"/v1/customers/{made.customer_id}/credit-balance")
    assert (balance.value["balanceCents"], balance.value["currency"]) == (1000, "usd")
    timeline = await owner.get(f"/v1/invoices/{made.id}/timeline")
    assert [each["eventType"] for each in timeline.value][-2:] == [
        *("payment.succeeded", "invoice.paid")
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amountCents": 0}, "amountCents"),
        ({"amountCents": 1.5}, "amountCents"),
        ({"method": "barter"}, "method"),
        ({"receivedAt": "yesterday"}, "receivedAt"),
        ({"receivedAt": "2100-01-01T00:00:00.000Z"}, "receivedAt"),
        ({"reference": "4242424242424242"}, "reference"),
    ],
)
async def test_bad_receipts_are_named(
    changes: dict[str, Any], field: str, owner: Client, org: Org
) -> None:
    # The field at fault, and nothing is booked.
    made = await an_open_invoice(org)
    answer = await owner.post(f"/v1/invoices/{made.id}/record-payment", body(**changes))
    assert (answer.status, answer.fields) == (400, {field}), answer.body
    assert (await owner.get(f"/v1/invoices/{made.id}")).value["amountPaidCents"] == 0


async def test_a_draft_takes_no_money(owner: Client, org: Org) -> None:
    # Nothing is due on it, and says so.
    draft = await org.draft(await org.customer(token=None))
    answer = await owner.post(f"/v1/invoices/{draft.id}/record-payment", body())
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT"), answer.body
