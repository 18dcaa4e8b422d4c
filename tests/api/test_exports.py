"""Exports: everything once, in a form that a spreadsheet shows and never works out."""

import csv
import io
import json

import pytest
from tests.api.client import Client
from tests.support.world import Org

from bursar.api.v1.exports import csv_of

KINDS = ("invoices", "invoice-lines", "payments", "customers")


async def test_it_goes_on_where_it_ended(owner: Client, org: Org) -> None:
    # Piece by piece there is each customer once, whatever the form.
    made = {(await org.customer(token=None)).id for _ in range(5)}
    seen, cursor = list[str](), ""
    while True:
        answer = await owner.get(f"/v1/exports/customers?format=jsonl&limit=2{cursor}")
        assert answer.status == 200, answer.body
        seen += [json.loads(line)["id"] for line in answer.body.splitlines()]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = f"&cursor={answer.headers['x-next-cursor']}"
    assert len(seen) == len(made)
    assert set(seen) == made
    table = await owner.get("/v1/exports/customers")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert [row["id"] for row in rows] == seen


async def test_lines_name_their_invoice(owner: Client, org: Org) -> None:
    # And invoices come without them.
    invoice = await org.invoice(await org.customer())
    await org.pay(invoice.id)
    found = {
        kind: list(
            csv.DictReader(io.StringIO((await owner.get(f"/v1/exports/{kind}")).body.decode()))
        )
        for kind in KINDS
    }
    assert found["invoice-lines"][0]["invoiceNumber"] == str(invoice.number)
    assert "lines" not in found["invoices"][0]
    assert found["invoices"][0]["totalCents"] == "4999"
    assert found["payments"][0]["invoiceId"] == invoice.id


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_no_text_is_a_formula(text: str) -> None:
    # It begins with an apostrophe; numbers stay numbers, nested fields have their path.
    (row,) = csv.DictReader(io.StringIO(csv_of([{"a": {"b": text}, "n": -5}]).decode(), newline=""))
    assert row == {"a.b": f"'{text}", "n": "-5"}


async def test_a_foreign_cursor_is_refused(owner: Client) -> None:
    # By the name of the field, as in any list.
    answer = await owner.get("/v1/exports/invoices?cursor=nonsense")
    assert answer.status == 400
