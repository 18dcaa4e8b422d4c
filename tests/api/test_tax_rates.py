"""Tax rates over HTTP, and what they and discounts do to an invoice."""

from typing import Any

import pytest
from tests.api.client import Client

from bursar.api.fields import example_id

RATES = "/v1/tax-rates"
VAT = {"name": "VAT", "percentage": "19", "country": "DE"}


async def rate(owner: Client, **changes: Any) -> str:
    made = await owner.post(RATES, {**VAT, **changes})
    assert made.status == 201, made.body
    return str(made.value["id"])


async def customer(owner: Client, **changes: Any) -> str:
    body = {"email": "a@example.com", "name": "Ada", **changes}
    made = await owner.post("/v1/customers", body)
    assert made.status == 201, made.body
    return str(made.value["id"])


async def test_a_tax_rate(owner: Client) -> None:
    # Introduced, found, archived once, listed among the archived, and on no line from then on.
    made = await owner.post(RATES, VAT)
    assert made.status == 201, made.body
    assert VAT.items() <= made.value.items()
    path = made.headers["location"]
    assert (await owner.get(path)).value == made.value
    archived = await owner.post(f"{path}/archive")
    assert (archived.status, archived.value["status"]) == (200, "archived")
    again = await owner.post(f"{path}/archive")
    assert (again.status, again.error["currentStatus"]) == (409, "archived")
    listed = await owner.get(f"{RATES}?status=archived")
    assert made.value["id"] in [each["id"] for each in listed.value]
    line = {"description": "X", "unitAmountCents": 1, "taxRateId": made.value["id"]}
    refused = await owner.post(
        "/v1/invoices", {"customerId": await customer(owner), "lines": [line]}
    )
    assert (refused.status, refused.fields) == (400, {"taxRateIds"})


async def test_the_taxes_on_a_draft_are_assessed(owner: Client) -> None:
    # By the table, as there is no service here: what is automatic in the customer's country lies on
    # every line, whatever was there before; a dry run puts nothing, and what is final stays.
    automatic, other = await rate(owner, automatic=True), await rate(owner, percentage="7")
    buyer = await customer(owner, address={"country": "DE"})
    line = {"description": "X", "unitAmountCents": 1000, "taxRateIds": [other]}
    made = await owner.post("/v1/invoices", {"customerId": buyer, "lines": [line]})
    path = f"/v1/invoices/{made.value['id']}"
    tried = await owner.post(f"{path}/assess-taxes?dryRun=true")
    assert (tried.status, tried.value["taxAmountCents"]) == (200, 190), tried.body
    assert (await owner.get(path)).value["taxAmountCents"] == 70
    taxed = await owner.post(f"{path}/assess-taxes")
    assert [each["taxRateId"] for each in taxed.value["taxes"]] == [automatic]
    again = await owner.post(f"{path}/assess-taxes")
    assert (again.status, again.value["version"]) == (200, taxed.value["version"])
    await owner.post(f"{path}/finalize")
    assert (await owner.post(f"{path}/assess-taxes")).status == 409


async def test_an_invoice_is_drafted_again(owner: Client) -> None:
    # The same lines, discounts and taxes, but no number and no due date; the first is untouched.
    taxed = await rate(owner)
    line = {"description": "X", "quantity": 3, "unitAmountDecimal": "33.5", "taxRateIds": [taxed]}
    lines = [{**line, "discounts": [{"percentOff": "10", "name": "Friend"}]}]
    body = {"customerId": await customer(owner), "lines": lines, "memo": "Thanks"}
    body |= {"discounts": [{"amountOffCents": 5}], "dueDate": "2099-01-01T00:00:00.000Z"}
    first = await owner.post("/v1/invoices", body)
    path = f"/v1/invoices/{first.value['id']}"
    await owner.post(f"{path}/finalize")
    again = await owner.post(f"{path}/duplicate")
    assert (again.status, again.value["status"]) == (201, "draft"), again.body
    assert again.headers["location"] == f"/v1/invoices/{again.value['id']}"
    for field in ("customerId", "memo", "totalCents", "discountCents", "taxAmountCents"):
        assert again.value[field] == first.value[field], field
    assert (again.value["dueDate"], again.value["invoiceNumber"]) == (None, None)
    assert (await owner.get(path)).value["status"] == "open"
    await owner.post(f"{RATES}/{taxed}/archive")
    late = await owner.post(f"{path}/duplicate")
    assert (late.status, late.fields) == (400, {"taxRateIds"})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"percentage": "100.0001"}, "percentage"),
        ({"percentage": 19}, "percentage"),
        ({"category": "exempt"}, "percentage"),
        ({"category": "none"}, "category"),
        ({"country": "Germany"}, "country"),
        ({"name": ""}, "name"),
    ],
)
async def test_what_is_refused(change: dict[str, Any], field: str, owner: Client) -> None:
    # Each is a 400 that names the field.
    answer = await owner.post(RATES, {**VAT, **change})
    assert (answer.status, answer.fields) == (400, {field}), answer.body


async def test_an_invoice_with_taxes_and_discounts(owner: Client) -> None:
    # By hand: 100.00 less 10 %, 19 % on top; 11.90 with 19 % inside; then 10.00 off all of it.
    on_top, inside = await rate(owner), await rate(owner, inclusive=True)
    lines = [
        {
            "description": "Work",
            "unitAmountCents": 10_000,
            "taxRateIds": [on_top],
            "discounts": [{"percentOff": "10"}],
        },
        {"description": "Book", "unitAmountCents": 1190, "taxRateId": inside},
    ]
    body = {"customerId": await customer(owner), "lines": lines}
    made = await owner.post("/v1/invoices", {**body, "discounts": [{"amountOffCents": 1000}]})
    assert made.status == 201, made.body
    shown = made.value
    # The 10.00 are shared 9,000 to 1,190: 8.83 and 1.17.
    assert [each["discountCents"] for each in shown["lines"]] == [1883, 117]
    assert [each["taxAmountCents"] for each in shown["lines"]] == [1542, 171]
    assert (shown["subtotalCents"], shown["discountCents"]) == (11_190, 2000)
    assert (shown["taxAmountCents"], shown["taxIncludedCents"]) == (1713, 171)
    assert shown["totalCents"] == 11_190 - 2000 + 1542
    assert [each["taxableCents"] for each in shown["taxes"]] == [8117, 902]
    path = f"/v1/invoices/{shown['id']}"
    assert (await owner.get(path)).value == shown
    # Other discounts, the same lines; then other lines, the same discounts.
    patched = await owner.patch(path, {"discounts": []})
    assert (patched.status, patched.value["discountCents"]) == (200, 1000), patched.body
    assert patched.value["taxAmountCents"] == 1710 + 190
    final = await owner.post(f"{path}/finalize")
    explained = await owner.get(f"{path}/explain")
    assert (explained.status, explained.value["matches"]) == (200, True), explained.body
    assert explained.value["totalCents"] == final.value["totalCents"]
    assert final.value["totalCents"] == 11_190 - 1000 + 1710
    booked = await owner.get(f"/v1/ledger/postings?sourceId={shown['id']}")
    entries = {each["account"]: each["amountCents"] for each in booked.value[0]["entries"]}
    assert entries[f"tax_payable:{on_top}"] == -1710
    assert entries[f"tax_payable:{inside}"] == -190
    assert entries["revenue"] == -(11_190 - 1000 - 190)


async def test_a_coupon_is_kept_as_it_was(owner: Client) -> None:
    # Archived meanwhile, it still is on the draft that has it; a new draft is refused.
    offered = await owner.post(
        "/v1/coupons", {"name": "Spring", "duration": "once", "percentOff": "50"}
    )
    wanted = {
        "customerId": await customer(owner),
        "lines": [{"description": "Work", "unitAmountCents": 101}],
        "discounts": [{"couponId": offered.value["id"]}],
    }
    made = await owner.post("/v1/invoices", wanted)
    assert (made.value["discountCents"], made.value["totalCents"]) == (50, 51)
    await owner.post(f"/v1/coupons/{offered.value['id']}/archive")
    line = {"description": "More", "unitAmountCents": 200}
    edited = await owner.patch(f"/v1/invoices/{made.value['id']}", {"lines": [line]})
    assert edited.value["totalCents"] == 100
    refused = await owner.post("/v1/invoices", wanted)
    assert (refused.status, refused.fields) == (400, {"couponId"})


async def test_a_customer_who_owes_the_tax_elsewhere_pays_none(owner: Client) -> None:
    # The rate is on the document at zero, with the note that the law wants.
    buyer = await customer(
        owner, taxId="ATU12345678", address={"country": "AT"}, taxTreatment="reverse_charge"
    )
    line = {"description": "Work", "unitAmountCents": 100, "taxRateId": await rate(owner)}
    made = await owner.post("/v1/invoices", {"customerId": buyer, "lines": [line]})
    (tax,) = made.value["taxes"]
    assert (tax["percentage"], tax["category"], tax["taxAmountCents"]) == ("0", "reverse_charge", 0)
    assert "Article 196" in tax["note"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"discounts": [{}]}, "lines[0].discounts[0].couponId"),
        (
            {"discounts": [{"percentOff": "1", "amountOffCents": 1}]},
            "lines[0].discounts[0].couponId",
        ),
        ({"discounts": [{"percentOff": "0"}]}, "lines[0].discounts[0].percentOff"),
        ({"taxRateId": "txr_1"}, "lines[0].taxRateId"),
        ({"taxRateIds": [example_id("txr")] * 2}, "lines[0].taxRateIds"),
    ],
)
async def test_lines_that_are_refused(change: dict[str, Any], field: str, owner: Client) -> None:
    # Each is a 400 that names the field.
    line = {"description": "Work", "unitAmountCents": 100, **change}
    answer = await owner.post(
        "/v1/invoices", {"customerId": await customer(owner), "lines": [line]}
    )
    assert (answer.status, answer.fields) == (400, {field}), answer.body


async def test_a_vat_id_is_written_as_its_country_does(owner: Client) -> None:
    # A digit short is a 400 at the field, also when the address moves there later.
    body = {"email": "a@example.com", "name": "Ada", "taxId": "DE12345678"}
    refused = await owner.post("/v1/customers", {**body, "address": {"country": "DE"}})
    assert (refused.status, refused.fields) == (400, {"taxId"})
    made = await customer(owner, taxId="DE12345678", address={"country": "CH"})
    moved = await owner.patch(f"/v1/customers/{made}", {"address": {"country": "DE"}})
    assert (moved.status, moved.fields) == (400, {"taxId"})
