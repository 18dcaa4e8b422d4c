"""From sign-up to a paid invoice, over HTTP."""

from tests.api.client import Client
from tests.support.world import PASSWORD, World


async def test_sign_up_to_paid(anyone: Client, world: World) -> None:
    # Somebody registers, bills a customer by card, and sees the money in the books.
    registered = await anyone.post(
        "/v1/auth/register",
        {
            "email": "journey@example.com",
            "password": PASSWORD,
            "name": "Jo Urney",
            "organizationName": "Journey Inc.",
        },
    )
    assert registered.status == 201, registered.body
    org_id = registered.value["organization"]["id"]
    owner = anyone.bearing(registered.value["accessToken"], org_id)

    customer = await owner.post("/v1/customers", {"email": "ada@example.com", "name": "Ada"})
    assert customer.status == 201, customer.body
    assert customer.headers["location"] == f"/v1/customers/{customer.value['id']}"
    attached = await owner.post(
        "/v1/payment-methods",
        {"customerId": customer.value["id"], "providerToken": "pm_card_visa"},
    )
    assert attached.status == 201, attached.body

    line = {"description": "Work", "quantity": 3, "unitAmountCents": 1500}
    draft = await owner.post("/v1/invoices", {"customerId": customer.value["id"], "lines": [line]})
    assert (draft.status, draft.value["totalCents"]) == (201, 4500), draft.body
    path = f"/v1/invoices/{draft.value['id']}"
    final = await owner.post(f"{path}/finalize")
    assert (final.status, final.value["status"]) == (200, "open"), final.body
    assert final.value["invoiceNumber"].endswith("-00001")

    paid = await owner.post(f"{path}/pay", {"mode": "charge"}, idempotency_key="pay-once")
    assert (paid.status, paid.value["payment"]["status"]) == (200, "succeeded"), paid.body
    again = await owner.post(f"{path}/pay", {"mode": "charge"}, idempotency_key="pay-once")
    assert (again.status, again.body) == (paid.status, paid.body)
    assert again.headers["idempotent-replayed"] == "true"

    shown = await owner.get(path)
    assert (shown.value["status"], shown.value["amountDueCents"]) == ("paid", 0)
    assert shown.headers["etag"] == f'"{shown.value["version"]}"'
    pdf = await owner.get(f"{path}/pdf")
    assert (pdf.status, pdf.headers["content-type"]) == (200, "application/pdf")
    assert pdf.body.startswith(b"%PDF")
    timeline = await owner.get(f"{path}/timeline")
    assert [one["eventType"] for one in timeline.value][:2] == [
        "invoice.created",
        "invoice.finalized",
    ]
    balances = await owner.get("/v1/ledger/trial-balance")
    assert [each["isBalanced"] for each in balances.value] == [True]
