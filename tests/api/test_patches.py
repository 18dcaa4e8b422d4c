"""Merge patches and versions."""

from tests.api.client import Client
from tests.support.world import Org


async def test_what_is_not_named_stays(owner: Client) -> None:
    # Absent stays, null takes away, a map is merged key by key.
    made = await owner.post(
        "/v1/customers",
        {
            "email": "a@example.com",
            "name": "A",
            "taxId": "DE123456789",
            "address": {"line1": "Way 1", "postalCode": "10115", "country": "DE"},
            "metadata": {"a": "1", "b": "2"},
        },
    )
    assert made.value["address"] == {"line1": "Way 1", "postalCode": "10115", "country": "DE"}
    path = f"/v1/customers/{made.value['id']}"
    patched = await owner.patch(
        path, {"taxId": None, "metadata": {"a": None, "c": "3"}, "name": "B"}
    )
    assert patched.status == 200, patched.body
    assert patched.value["taxId"] is None
    assert patched.value["metadata"] == {"b": "2", "c": "3"}
    assert (patched.value["name"], patched.value["email"]) == ("B", "a@example.com")
    assert patched.value["address"] == made.value["address"]
    emptied = await owner.patch(path, {"metadata": None, "address": None})
    assert (emptied.value["metadata"], emptied.value["address"]) == ({}, None)
    same = await owner.patch(path, {})
    assert same.value["version"] == emptied.value["version"]
    assert (await owner.patch(path, {"name": None})).fields == {"name"}


async def test_versions(owner: Client) -> None:
    # If-Match holds or it is a 412; what is no ETag of ours is a 400.
    made = await owner.post("/v1/customers", {"email": "a@example.com", "name": "A"})
    path, tag = f"/v1/customers/{made.value['id']}", made.headers["etag"]
    first = await owner.patch(path, {"name": "B"}, if_match=tag)
    assert (first.status, first.headers["etag"] != tag) == (200, True)
    late = await owner.patch(path, {"name": "C", "metadata": {"k": "v"}}, if_match=tag)
    assert (late.status, late.error["code"]) == (412, "PRECONDITION_FAILED")
    assert (await owner.patch(path, {"name": "D"}, if_match="*")).status == 200
    for text in ("1", 'W/"1"', '"x"', '"1", "2"', '""'):
        assert (await owner.patch(path, {"name": "E"}, if_match=text)).fields == {"If-Match"}


async def test_merge_patch_media_type(owner: Client) -> None:
    # A merge patch may call itself one.
    made = await owner.post("/v1/customers", {"email": "a@example.com", "name": "A"})
    path = f"/v1/customers/{made.value['id']}"
    patched = await owner.patch(path, {"name": "B"}, content_type="application/merge-patch+json")
    assert patched.value["name"] == "B"


async def test_metadata_stays_within_its_limit(owner: Client) -> None:
    # Fifty keys in all, however they come together.
    full = {f"k{number}": "v" for number in range(50)}
    made = await owner.post(
        "/v1/customers", {"email": "a@example.com", "name": "A", "metadata": full}
    )
    path = f"/v1/customers/{made.value['id']}"
    assert (await owner.patch(path, {"metadata": {"more": "v"}})).fields == {"metadata"}
    swapped = await owner.patch(path, {"metadata": {"more": "v", "k0": None}})
    assert len(swapped.value["metadata"]) == 50


async def test_drafts(owner: Client, org: Org) -> None:
    # Lines are replaced whole, a due date can be taken away, and a final invoice stays as it is.
    customer = await org.customer()
    line = {"description": "Calls", "quantity": 1204, "unitAmountDecimal": "0.25"}
    made = await owner.post(
        "/v1/invoices",
        {
            "customerId": customer.id,
            "lines": [line],
            "dueDate": "2190-01-01T00:00:00Z",
            "memo": "Two\nlines",
        },
    )
    assert (made.status, made.value["totalCents"]) == (201, 301), made.body
    path = f"/v1/invoices/{made.value['id']}"
    patched = await owner.patch(
        path, {"lines": [{"description": "One", "unitAmountCents": 5}], "dueDate": None}
    )
    assert (patched.value["totalCents"], patched.value["dueDate"]) == (5, None)
    assert patched.value["memo"] == "Two\nlines"
    assert (await owner.post(f"{path}/finalize")).status == 200
    late = await owner.patch(path, {"memo": "x"})
    assert (late.status, late.error["currentStatus"]) == (409, "open")
    assert late.error["allowedTransitions"] == ["paid", "void", "uncollectible"]


async def test_line_prices(owner: Client, org: Org) -> None:
    # A line has one price: two or none are faults of that line.
    customer = await org.customer(None)
    good = {"description": "y", "unitAmountCents": 1}
    for line in ({"description": "x"}, good | {"unitAmountDecimal": "1"}):
        body = {"customerId": customer.id, "lines": [good, line]}
        answer = await owner.post("/v1/invoices", body)
        assert (answer.status, answer.fields) == (400, {"lines[1].unitAmountCents"})


async def test_deleting(owner: Client, org: Org) -> None:
    # A draft can be thrown away; what is final cannot.
    customer = await org.customer()
    draft, final = await org.draft(customer), await org.invoice(customer)
    assert (await owner.delete(f"/v1/invoices/{draft.id}")).status == 204
    assert (await owner.get(f"/v1/invoices/{draft.id}")).value["status"] == "void"
    for invoice in (draft, final):
        refused = await owner.delete(f"/v1/invoices/{invoice.id}")
        assert (refused.status, refused.error["code"]) == (409, "CONFLICT")
    assert (await owner.get(f"/v1/invoices/{final.id}")).value["status"] == "open"


async def test_voiding(owner: Client, org: Org) -> None:
    # Void and cancel are one act; what is void cannot be voided again and says so.
    customer = await org.customer()
    for verb in ("void", "cancel"):
        invoice = await org.invoice(customer)
        path = f"/v1/invoices/{invoice.id}"
        tried = await owner.post(f"{path}/{verb}?dryRun=true")
        assert (tried.status, tried.value["status"]) == (200, "void")
        assert (await owner.get(path)).value["status"] == "open"
        assert (await owner.post(f"{path}/{verb}")).value["status"] == "void"
        again = await owner.post(f"{path}/{verb}")
        assert (again.status, again.error["currentStatus"]) == (409, "void")
        assert again.error["docUrl"] == "/docs/errors#illegal_transition"
