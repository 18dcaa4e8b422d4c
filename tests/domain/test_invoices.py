"""The life of an invoice: totals are exact, transitions are the table's, booking follows."""

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.nouns import (
    AT,
    LATER,
    NUMBER,
    USD,
    a_draft,
    a_line,
    an_invoice,
    an_open_invoice,
    the,
    told,
)

from bursar.domain import invoices
from bursar.domain.currencies import EXPONENTS, currency
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId
from bursar.domain.invoice_lines import Charge, priced_line
from bursar.domain.invoices import TRANSITIONS, Invoice, InvoiceNumber, InvoiceStatus
from bursar.domain.ledger import entry_sums
from bursar.domain.money import AMOUNT_MAX, Money, half_even
from bursar.domain.refusals import AmountTooLarge, IllegalTransition, InvalidInput

SELLABLE = st.tuples(
    st.integers(0, 10**6), st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=12)
)
currencies = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(("before", "after"), [*product(InvoiceStatus, InvoiceStatus)])
def test_every_pair_of_states_is_allowed_or_refused_by_the_table(
    before: InvoiceStatus, after: InvoiceStatus
) -> None:
    # A step is one version later, or a refusal that says where one is and where one may go.
    invoice = an_invoice(before)
    if after in TRANSITIONS[before]:
        moved = invoice.to(after)
        assert (moved.status, moved.version) == (after, invoice.version + 1)
        return
    with pytest.raises(IllegalTransition) as refused:
        invoice.to(after)
    assert refused.value.facts == {
        "currentStatus": before.value,
        "allowedTransitions": [each.value for each in TRANSITIONS[before]],
    }


def test_the_table_is_the_published_one() -> None:
    # Draft opens or is thrown away; open ends in one of three ways; an end is an end.
    published = {
        "draft": ["open", "void"],
        "open": ["paid", "void", "uncollectible"],
        "paid": [],
        "void": [],
        "uncollectible": [],
    }
    assert {before.value: [*after] for before, after in TRANSITIONS.items()} == published
    assert set(TRANSITIONS) == set(InvoiceStatus)


@given(st.lists(SELLABLE, min_size=1, max_size=20), currencies)
def test_each_line_is_rounded_once_and_the_total_is_their_exact_sum(
    sold: list[tuple[int, Decimal]], code: str
) -> None:
    # Half to even at the line, nowhere else; whatever the currency.
    money = currency(code)
    lines = [priced_line(InvoiceLineId("il_1"), Charge("x", q, unit), money) for q, unit in sold]
    invoice = invoices.with_lines(a_draft(code=money), lines)
    for line, (quantity, unit) in zip(lines, sold, strict=True):
        top, bottom = unit.as_integer_ratio()
        assert line.amount.minor == half_even(quantity * top, denominator=bottom)
    assert invoice.subtotal.minor == sum(line.amount.minor for line in lines)
    assert invoice.total == invoice.subtotal - invoice.discount + invoice.tax == invoice.due


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=10))
def test_finalizing_books_the_total_and_voiding_takes_it_all_back(minors: list[int]) -> None:
    # The customer owes exactly the total; after the void every account is where it was.
    draft = a_draft(*minors)
    finalized = draft.finalize(NUMBER, due_at=LATER, at=AT)
    opened = the(Invoice, finalized)
    owed = [
        minor
        for account, minor in entry_sums(finalized.postings).items()
        if account.code.startswith("receivable:")
    ]
    if draft.total.is_zero:
        assert (owed, opened.status) == ([], InvoiceStatus.PAID)
        return
    assert (owed, opened.status) == ([draft.total.minor], InvoiceStatus.OPEN)
    voided = opened.void(LATER)
    assert not any(entry_sums((*finalized.postings, *voided.postings)).values())
    assert told(voided) == ["invoice.voided"]


def test_finalizing_numbers_and_freezes_the_draft() -> None:
    # Number, due date and instant come with it, in one version and one event.
    draft = a_draft(700, 300)
    change = draft.finalize(NUMBER, due_at=LATER, at=AT)
    opened = the(Invoice, change)
    assert (str(opened.number), opened.due_at, opened.finalized_at) == ("INV-2026-00001", LATER, AT)
    assert (opened.version, told(change)) == (draft.version + 1, ["invoice.finalized"])
    with pytest.raises(IllegalTransition):
        opened.finalize(NUMBER, due_at=LATER, at=AT)
    with pytest.raises(IllegalTransition):
        opened.edit(replace(opened, memo="late"))


def test_an_invoice_over_nothing_is_paid_at_once() -> None:
    # Both facts are told, nothing is booked, and the row is one version later, not two.
    draft = a_draft(0)
    change = draft.finalize(NUMBER, due_at=LATER, at=AT)
    paid = the(Invoice, change)
    assert (paid.status, paid.paid_at, paid.version) == (InvoiceStatus.PAID, AT, draft.version + 1)
    assert (told(change), change.postings) == (["invoice.finalized", "invoice.paid"], ())


def test_what_cannot_be_finalized() -> None:
    # No lines, or a due date before the invoice's own; the very same instant is allowed.
    empty = invoices.with_lines(a_draft(), [])
    with pytest.raises(InvalidInput) as refused:
        empty.finalize(NUMBER, due_at=LATER, at=AT)
    assert [detail.field for detail in refused.value.details] == ["lines"]
    with pytest.raises(InvalidInput) as refused:
        a_draft().finalize(NUMBER, due_at=AT - timedelta(seconds=1), at=AT)
    assert [detail.field for detail in refused.value.details] == ["dueDate"]
    assert a_draft().finalize(NUMBER, due_at=AT, at=AT).rows


def test_an_edit_is_told_once_and_only_when_something_differs() -> None:
    # A draft takes other content; the same content is no change at all.
    draft = a_draft()
    assert draft.edit(draft) is None
    change = draft.edit(replace(draft, memo="Thank you."))
    assert (told(change), the(Invoice, change).version) == (["invoice.updated"], draft.version + 1)
    assert told(invoices.draft(draft)) == ["invoice.created"]


def test_a_draft_is_voided_without_any_booking() -> None:
    # It never had a number, so there is nothing to reverse.
    change = a_draft().void(AT)
    assert (the(Invoice, change).status, change.postings) == (InvoiceStatus.VOID, ())


def test_paying_takes_what_is_due_and_nothing_else() -> None:
    # All of it, or a part that leaves it open; more is a bug, another state is a refusal.
    opened = an_open_invoice(1000)
    paid = opened.pay(opened.due, AT)
    assert (paid.status, paid.paid, paid.due.minor, paid.paid_at) == ("paid", opened.total, 0, AT)
    part = opened.pay(Money(999, USD), AT)
    assert (part.status, part.due.minor, part.paid_at) == ("open", 1, None)
    with pytest.raises(AssertionError):
        opened.pay(Money(1001, USD), AT)
    with pytest.raises(IllegalTransition):
        paid.pay(paid.due, AT)


def test_amounts_beyond_the_exact_range_are_refused() -> None:
    # At the line and at the sum, never wrapped.
    with pytest.raises(AmountTooLarge):
        priced_line(InvoiceLineId("il_1"), Charge("x", 2, Decimal(AMOUNT_MAX)), USD)
    with pytest.raises(AmountTooLarge):
        invoices.with_lines(a_draft(), [a_line(AMOUNT_MAX), a_line(1)])


@given(st.integers(1, 10**9))
def test_a_number_prints_with_five_digits_or_more(number: int) -> None:
    # No number is ever cut short.
    printed = str(InvoiceNumber("INV-2026", number))
    series, _, digits = printed.rpartition("-")
    assert (series, int(digits), len(digits)) == ("INV-2026", number, max(5, len(str(number))))
