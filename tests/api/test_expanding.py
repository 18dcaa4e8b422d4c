"""What a list may bring along beside its ids."""

from typing import Any

import pytest
from tests.api.client import Client
from tests.api.operations import OPERATIONS
from tests.api.people import key_client
from tests.support.world import Org

EXPANDABLE = {
    str(each): each
    for each in OPERATIONS
    if any(parameter["name"] == "expand" for parameter in each.parameters)
}


async def test_one_level(owner: Client, org: Org) -> None:
    # The object stands beside its id, as its own route shows it; without asking it is not there.
    customer = await org.customer()
    invoice = await org.invoice(customer)
    shown = (await owner.get(f"/v1/customers/{customer.id}")).value
    for path in (f"/v1/invoices/{invoice.id}", "/v1/invoices"):
        plain = await owner.get(path)
        asked = await owner.get(f"{path}?expand=customer,lines")
        assert asked.status == 200, asked.body
        assert asked.headers.get("etag") == plain.headers.get("etag")
        for thing, bare in zip(things(asked.value), things(plain.value), strict=True):
            assert thing == {**bare, "customer": shown}


async def test_two_levels(owner: Client, org: Org) -> None:
    # What was brought along may bring along, once more.
    customers = [await org.customer() for _ in range(3)]
    for customer in customers:
        await org.pay((await org.invoice(customer)).id)
    asked = await owner.get("/v1/payments?expand=invoice.customer,customer")
    assert len(asked.value) == 3
    for payment in asked.value:
        assert payment["invoice"]["id"] == payment["invoiceId"]
        assert payment["invoice"]["lines"]
        assert payment["invoice"]["customer"] == payment["customer"]
        assert payment["customer"]["id"] == payment["customerId"]


@pytest.mark.parametrize(
    "wish",
    ["", "nothing", "customer.", "customer.invoice", "Customer", "customer;lines", "__proto__",
     "customer," * 11 + "customer", "lines.customer"],
)  # fmt: skip
async def test_what_cannot_be_expanded(wish: str, owner: Client) -> None:
    # Names come from a table; whatever else is asked for is refused, and the names are told.
    answer = await owner.get(f"/v1/invoices?expand={wish}")
    assert (answer.status, answer.fields) == (400, {"expand"}), answer.body


async def test_each_kind_has_its_permission(org: Org, anyone: Client, owner: Client) -> None:
    # Whoever may not see customers sees none through an invoice.
    await org.invoice(await org.customer())
    reader = await key_client(org, "invoices:read", anyone)
    assert (await reader.get("/v1/invoices")).status == 200
    refused = await reader.get("/v1/invoices?expand=customer")
    assert (refused.status, refused.error["permission"]) == (403, "customer:read")


async def test_what_is_gone_stays_null(owner: Client, org: Org) -> None:
    # A deleted customer is not found through their documents either.
    customer = await org.customer(None)
    draft = await org.draft(customer)
    await owner.delete(f"/v1/invoices/{draft.id}")
    assert (await owner.delete(f"/v1/customers/{customer.id}")).status == 204
    asked = await owner.get(f"/v1/invoices/{draft.id}?expand=customer")
    assert (asked.status, asked.value["customer"]) == (200, None)


@pytest.mark.parametrize("spot", EXPANDABLE)
def test_the_document_says_so(spot: str) -> None:
    # Every look that names a customer or an invoice may be asked to bring them along.
    operation = EXPANDABLE[spot]
    schema = operation.described["responses"]["200"]["content"]["application/json"]["schema"]
    data = schema["properties"]["data"]
    beside = data.get("items", data)["allOf"][1]["properties"]
    assert beside
    assert operation.method == "GET"


def things(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else [value]
