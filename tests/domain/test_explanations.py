"""An invoice is explained by what stands on it, and what was changed by hand is named."""

import pytest
from hypothesis import given, settings
from tests.domain.nouns import AT, LATER, USD
from tests.domain.test_taxes import documents

from bursar.domain.explanations import explain
from bursar.domain.frozen import replace
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.money import Money
from bursar.domain.shapes import samples
from bursar.domain.times import Period


@given(documents())
@settings(max_examples=30)
def test_what_was_billed_explains_itself(invoice: Invoice) -> None:
    # Whatever lines, rates and discounts it has.
    explanation = explain(invoice)
    assert explanation.differences == ()
    assert explanation.recomputed == invoice


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tax": Money(1, USD)}, "taxAmountCents"),
        ({"discount": Money(1, USD)}, "discountCents"),
        ({"total": Money(1, USD)}, "totalCents"),
        ({"subtotal": Money(1, USD)}, "subtotalCents"),
    ],
)
def test_a_figure_changed_by_hand_is_named(change: dict[str, Money], field: str) -> None:
    # With what it should be; everything else still agrees.
    changed = replace(samples.DRAFT, **change)  # type: ignore[arg-type]  # fields by name
    (found,) = explain(changed).differences
    assert (found.field, found.billed) == (field, Money(1, USD))


def test_an_amount_changed_by_hand_is_named_at_its_line() -> None:
    # And so is everything that follows from it.
    first, *rest = samples.DRAFT.lines
    more = first.amount + Money(100, USD)
    changed = replace(samples.DRAFT, lines=(replace(first, amount=more), *rest))
    assert [each.field for each in explain(changed).differences] == ["lines[0].amountCents"]


def test_a_line_comes_from_its_derivation() -> None:
    # Half of a period of 30.00 is 15.00, whatever quantity and unit price say.
    whole = {"start": AT.isoformat(), "end": (AT + 2 * (LATER - AT)).isoformat()}
    parts = [{"quantity": 1, "unitAmount": "3000"}]
    line = replace(
        samples.DRAFT.lines[1],
        amount=Money(1500, USD),
        period=Period(AT, LATER),
        derivation={"parts": parts, "whole": whole},
    )
    invoice = with_lines(samples.DRAFT, [line])
    assert explain(invoice).differences == ()
    cheaper = [{"quantity": 1, "unitAmount": "2000"}]
    edited = replace(line, derivation={"parts": cheaper, "whole": whole})
    found = explain(replace(invoice, lines=(edited,))).differences
    assert (found[0].field, found[0].recomputed) == ("lines[0].amountCents", Money(1000, USD))
