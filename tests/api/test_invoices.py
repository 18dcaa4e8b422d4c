"""Invoices over HTTP: one document, however it is asked for."""

from tests.api.client import Client
from tests.api.test_credit_notes import final
from tests.api.test_tax_rates import customer


async def test_an_invoice_is_the_same_wherever_it_is_shown(owner: Client) -> None:
    # In the answer that changed it, asked for by its id and in a list, field by field in the same
    # order; the log says the same without the link.
    changed = await final(owner)
    shown = await owner.get(f"/v1/invoices/{changed['id']}")
    (listed,) = (await owner.get("/v1/invoices?limit=1")).value
    logged = next(
        event["data"]
        for event in (await owner.get("/v1/events?limit=5")).value
        if event["type"] == "invoice.finalized"
    )
    assert shown.value["hostedInvoiceUrl"].startswith("http")
    told = [*shown.value.items()]
    assert [*changed.items()] == [*listed.items()] == told
    assert logged == {name: said for name, said in told if name != "hostedInvoiceUrl"}


async def test_a_new_draft_says_where_it_is(owner: Client) -> None:
    # 201, its place and its version; what is found there is what was answered. It has no page yet.
    body = {"customerId": await customer(owner), "lines": []}
    made = await owner.post("/v1/invoices", body)
    again = await owner.post(f"{made.headers['location']}/duplicate")
    for each in (made, again):
        assert (each.status, each.headers["etag"]) == (201, '"1"')
        assert each.headers["location"] == f"/v1/invoices/{each.value['id']}"
        assert (await owner.get(each.headers["location"])).value == each.value
        assert each.value["hostedInvoiceUrl"] is None
