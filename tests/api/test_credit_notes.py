"""Credit notes over HTTP: whole, by line, by amount; to credit or back by the way it came."""

import asyncio
import io
from typing import Any

import pypdf
import pytest
from tests.api.client import Client
from tests.api.test_tax_rates import customer, rate

from bursar.api.fields import example_id

NOTES = "/v1/credit-notes"


async def final(owner: Client) -> dict[str, Any]:
    """100.00 with 19 % on top, and 50.00."""
    lines = [
        {"description": "Work", "unitAmountCents": 10_000, "taxRateId": await rate(owner)},
        {"description": "Book", "unitAmountCents": 5000},
    ]
    body = {"customerId": await customer(owner), "lines": lines}
    made = await owner.post("/v1/invoices", body)
    done = await owner.post(f"/v1/invoices/{made.value['id']}/finalize")
    assert done.value["totalCents"] == 16_900, done.body
    return done.value  # type: ignore[no-any-return]  # an answer's data is any JSON


async def test_by_line_then_by_amount_then_the_rest(owner: Client) -> None:
    # Each lowers what is due; then nothing is left, and the numbers have no gap.
    invoice = await final(owner)
    line = {"invoiceLineId": invoice["lines"][0]["id"], "amountCents": 1190}
    first = await owner.post(NOTES, {"invoiceId": invoice["id"], "lines": [line]})
    assert first.status == 201, first.body
    assert (first.value["totalCents"], first.value["taxAmountCents"]) == (1190, 190)
    assert (await owner.get(first.headers["location"])).value == first.value
    second = await owner.post(NOTES, {"invoiceId": invoice["id"], "amountCents": 710})
    shown = await owner.get(f"/v1/invoices/{invoice['id']}")
    assert (shown.value["amountCreditedCents"], shown.value["amountDueCents"]) == (1900, 15_000)
    third = await owner.post(NOTES, {"invoiceId": invoice["id"], "reason": "All of it."})
    assert third.value["totalCents"] == 15_000
    taxes = [each.value["taxAmountCents"] for each in (first, second, third)]
    assert sum(taxes) == 1900
    numbers = [each.value["creditNoteNumber"][-5:] for each in (first, second, third)]
    assert [int(each) for each in numbers] == list(range(int(numbers[0]), int(numbers[0]) + 3))
    ended = await owner.get(f"/v1/invoices/{invoice['id']}")
    assert (ended.value["status"], ended.value["amountDueCents"]) == ("paid", 0)
    again = await owner.post(NOTES, {"invoiceId": invoice["id"]})
    assert (again.status, again.error["creditableCents"]) == (409, 0)
    listed = await owner.get(f"{NOTES}?invoiceId={invoice['id']}")
    assert [each["totalCents"] for each in listed.value] == [15_000, 710, 1190]


async def test_it_is_printed_for_people_and_machines(owner: Client) -> None:
    # The PDF carries the e-invoice, and both name the invoice that is taken back.
    invoice = await final(owner)
    note = await owner.post(NOTES, {"invoiceId": invoice["id"], "amountCents": 1190})
    path = note.headers["location"]
    printed, told = await owner.get(f"{path}/pdf"), await owner.get(f"{path}/xml")
    assert printed.headers["content-type"] == "application/pdf"
    assert told.headers["content-type"] == "application/xml"
    reader = pypdf.PdfReader(io.BytesIO(printed.body))
    assert reader.attachments["factur-x.xml"] == [told.body]
    text = reader.pages[0].extract_text()
    for said in ("Credit note", note.value["creditNoteNumber"], invoice["invoiceNumber"], "11.90"):
        assert said in text
    assert b">381<" in told.body
    assert (await owner.get(f"{path}/pdf")).body == printed.body


async def test_notes_that_race_never_go_above_the_invoice(owner: Client) -> None:
    # Eight at once over more than half each: one is issued, the others are refused.
    invoice = await final(owner)
    body = {"invoiceId": invoice["id"], "amountCents": 9000}
    answers = await asyncio.gather(*(owner.post(NOTES, body) for _ in range(8)))
    assert sorted(each.status for each in answers) == [201, *[409] * 7]
    shown = await owner.get(f"/v1/invoices/{invoice['id']}")
    assert shown.value["amountDueCents"] == 7900


async def test_a_dry_run_leaves_nothing(owner: Client) -> None:
    # Not even a number.
    invoice = await final(owner)
    tried = await owner.post(f"{NOTES}?dryRun=true", {"invoiceId": invoice["id"]})
    assert tried.value["totalCents"] == 16_900
    made = await owner.post(NOTES, {"invoiceId": invoice["id"], "amountCents": 1})
    assert made.value["creditNoteNumber"] == tried.value["creditNoteNumber"]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"amountCents": 0}, 400, "amountCents"),
        ({"amountCents": 1, "lines": [{"invoiceLineId": example_id("il")}]}, 400, "amountCents"),
        ({"destination": "refund"}, 400, "destination"),
        ({"destination": "elsewhere"}, 400, "destination"),
        ({"invoiceId": "inv_1"}, 400, "invoiceId"),
    ],
)
async def test_what_is_refused(
    change: dict[str, Any], status: int, field: str, owner: Client
) -> None:
    # Each names the field; nothing was paid that could be refunded.
    invoice = await final(owner)
    answer = await owner.post(NOTES, {"invoiceId": invoice["id"], **change})
    assert (answer.status, answer.fields) == (status, {field}), answer.body
