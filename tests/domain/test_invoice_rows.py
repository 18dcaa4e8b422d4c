"""An invoice as the database keeps it is the invoice again, whatever lies on it."""

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Struct
from tests.domain.nouns import AT, LATER, NUMBER, USD, a_line, an_open_invoice, the

from bursar.domain import invoice_rows
from bursar.domain.discounts import Reduction
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, SubscriptionId, TaxRateId, uuid_of
from bursar.domain.invoice_lines import InvoiceLine, LineType
from bursar.domain.invoice_rows import written
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.money import Money, Rate
from bursar.domain.shapes import samples
from bursar.domain.taxes import LineTax, TaxCategory, TaxTerms
from bursar.domain.times import Period

LINE_ID = InvoiceLineId("il_0195a1b2-c3d4-7010-8000-0123456789ab")
INCLUDED = TaxTerms(
    TaxRateId("txr_0195a1b2-c3d4-7099-8000-0123456789ab"),
    "TVA",
    Rate(Decimal("5.5")),
    is_inclusive=True,
    category=TaxCategory.STANDARD,
    note="Art. 278",
)
NOTHING = Money.zero(USD)


def an_invoice() -> Invoice:
    sub = SubscriptionId("sub_0195a1b2-c3d4-7010-8000-0123456789ab")
    taxes = tuple(
        LineTax(each.rate_id, NOTHING, each.is_inclusive) for each in (samples.VAT, INCLUDED)
    )
    line = replace(
        a_line(1999),
        id=LINE_ID,
        type=LineType.USAGE,
        taxes=taxes,
        reductions=(Reduction("Loyal", amount_off=Money(5, USD)),),
        subscription_id=sub,
        period=Period(AT, LATER),
        derivation={"kind": "usage", "parts": [{"quantity": 3}]},
    )
    draft = replace(
        samples.DRAFT, subscription_id=sub, period=Period(AT, LATER), metadata={"p": "7"}
    )
    terms, taken = [samples.VAT, INCLUDED], [samples.COUPON.reduction]
    draft = with_lines(
        draft, [line, replace(a_line(-250), id=LINE_ID)], reductions=taken, terms=terms
    )
    return the(Invoice, draft.finalize(NUMBER, due_at=LATER, at=AT))


def kept(noun: Struct) -> dict[str, Any]:
    """A noun's fields by their columns: bare UUIDs, amounts in minor units."""
    columns: dict[str, Any] = {}
    for name in noun.__struct_fields__:
        value = getattr(noun, name)
        if name == "id" or name.endswith("_id"):
            columns[name] = uuid_of(value) if value else value
        elif isinstance(value, Money):
            columns[f"{name}_minor"] = value.minor
        else:
            columns[name] = value
    period: Period | None = columns.pop("period")
    return columns | {
        "period_start_at": period and period.start,
        "period_end_at": period and period.end,
    }


def kept_line(line: InvoiceLine) -> dict[str, Any]:
    return kept(line) | {
        "discounts": written(invoice_rows.kept_reductions(line)),
        "taxes": written(invoice_rows.kept_line_taxes(line.taxes)),
        "derivation": None if line.derivation is None else written(line.derivation),
    }


def kept_invoice(invoice: Invoice) -> dict[str, Any]:
    number = invoice.number
    return kept(invoice) | {
        "series": number and number.series,
        "number": number and number.number,
        "metadata": json.dumps(invoice.metadata),
        "discounts": written(invoice_rows.kept_discounts(invoice)),
        "taxes": written(invoice_rows.kept_taxes(invoice)),
    }


@pytest.mark.parametrize("invoice", [an_invoice(), an_open_invoice(1999, 250)])
def test_an_invoice_comes_back_with_its_lines(invoice: Invoice) -> None:
    # Number, period, discounts, taxes, derivations, amounts in its currency, lines in their order.
    invoice = replace(invoice, lines=tuple(replace(each, id=LINE_ID) for each in invoice.lines))
    lines = [kept_line(line) for line in invoice.lines]
    assert invoice_rows.row_to_invoice(kept_invoice(invoice), lines) == invoice
    unnumbered = kept_invoice(invoice) | {"number": None, "series": None}
    assert invoice_rows.row_to_invoice(unnumbered, ()).number is None
