"""Credit notes: however an invoice is taken back, all parts together are exactly the invoice."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, NUMBER, USD, a_draft, an_invoice, the, told
from tests.domain.test_taxes import documents, taxed_line, terms

from bursar.domain.credit_notes import (
    CreditNote,
    CreditNoteLine,
    Taken,
    applied_of,
    by_amount,
    by_line,
    issue,
    noted_lines,
    whole,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CreditNoteLineId, InvoiceLineId
from bursar.domain.invoices import Invoice, InvoiceStatus, with_lines
from bursar.domain.ledger import entry_sums
from bursar.domain.money import Money, total
from bursar.domain.refusals import CreditAboveInvoice, IllegalTransition, InvalidInput, NotFound
from bursar.domain.shapes.sample_taxes import note_on

CASES_PROOF = 2_000
CASES_DEEP = 10_000


def numbered(invoice: Invoice) -> Invoice:
    lines = tuple(
        replace(line, id=InvoiceLineId(f"il_{place}")) for place, line in enumerate(invoice.lines)
    )
    finalized = replace(invoice, lines=lines).finalize(NUMBER, due_at=LATER, at=AT)
    return the(Invoice, finalized)


def a_note(invoice: Invoice, before: Taken, taken: Taken) -> CreditNote:
    ids = [CreditNoteLineId(f"cnl_{place}") for place, _ in enumerate(taken)]
    lines = noted_lines(invoice, before, taken=taken, ids=ids)
    amount = total((each.amount for each in lines), invoice.currency)
    applied = applied_of(amount, invoice)
    sample = note_on(an_invoice(InvoiceStatus.OPEN), 1)
    return replace(
        sample,
        currency=invoice.currency,
        customer_id=invoice.customer_id,
        lines=lines,
        total=amount,
        tax=total((each.tax for each in lines), invoice.currency),
        applied=applied,
        credited=amount - applied,
    )


def taken_back(invoice: Invoice, parts: list[int]) -> list[CreditNote]:
    """Notes over these amounts as far as they go, then one over all that is left."""
    notes: list[CreditNote] = []
    before: dict[InvoiceLineId, Money] = {}
    for part in [*parts, None]:
        left = invoice.total - invoice.noted
        if left.is_zero:
            break
        if part is None or part >= left.minor:
            taken = whole(invoice, before)
        else:
            taken = by_amount(invoice, before, Money(part, invoice.currency))
        notes.append(a_note(invoice, before, taken))
        for line_id, amount in taken.items():
            before[line_id] = before.get(line_id, Money.zero(amount.currency)) + amount
        invoice = the(Invoice, issue(notes[-1], invoice))
    assert invoice.status is InvoiceStatus.PAID
    return notes


def adds_up(invoice: Invoice, parts: list[int]) -> None:
    opened = numbered(invoice)
    assume(opened.total.is_positive)
    notes = taken_back(opened, parts)
    assert total((each.total for each in notes), invoice.currency) == invoice.total
    assert total((each.tax for each in notes), invoice.currency) == invoice.tax
    lines: list[CreditNoteLine] = [line for note in notes for line in note.lines]
    for line in opened.lines:
        mine = [each for each in lines if each.invoice_line_id == line.id]
        assert total((each.amount for each in mine), invoice.currency) == line.total
        for tax in line.taxes:
            found = [
                each.amount for one in mine for each in one.taxes if each.rate_id == tax.rate_id
            ]
            assert total(found, invoice.currency) == tax.amount


PARTS = st.lists(st.integers(1, 10**6), max_size=4)


@given(documents(), PARTS)
@settings(max_examples=40)
def test_all_parts_together_are_the_invoice(invoice: Invoice, parts: list[int]) -> None:
    # Line by line and tax by tax, in every currency.
    adds_up(invoice, parts)


@pytest.mark.proof
@given(documents(), PARTS)
@settings(max_examples=CASES_PROOF, deadline=None)
def test_two_thousand_invoices_taken_back(invoice: Invoice, parts: list[int]) -> None:
    # The same, for as many as a minute has room for.
    adds_up(invoice, parts)


@pytest.mark.deep
@given(documents(), PARTS)
@settings(max_examples=CASES_DEEP, deadline=None)
def test_ten_thousand_invoices_taken_back(invoice: Invoice, parts: list[int]) -> None:
    # The same, tried until a fault would have shown.
    adds_up(invoice, parts)


@given(documents())
@settings(max_examples=30)
def test_what_was_booked_is_undone(invoice: Invoice) -> None:
    # All of an open invoice taken back: every account is where it was.
    opened = numbered(invoice)
    assume(opened.total.is_positive)
    booked = invoice.finalize(NUMBER, due_at=LATER, at=AT).postings
    change = issue(a_note(opened, {}, whole(opened, {})), opened)
    assert not any(entry_sums([*booked, *change.postings]).values())


def an_open_one() -> Invoice:
    vat = terms("19")
    lines = [taxed_line(10_000, [vat]), taxed_line(5000, [])]
    return numbered(with_lines(a_draft(), lines, terms=[vat]))


def test_a_part_of_what_is_due_lowers_it() -> None:
    # 100.00 of 169.00: shared 119 to 50, with 11.24 tax in the first; then nothing is due.
    invoice = an_open_one()
    note = a_note(invoice, {}, by_amount(invoice, {}, Money(10_000, USD)))
    assert [each.amount.minor for each in note.lines] == [7041, 2959]
    assert (note.tax.minor, note.applied.minor, note.credited.minor) == (1124, 10_000, 0)
    change = issue(note, invoice)
    after = the(Invoice, change)
    assert told(change) == ["credit_note.created", "invoice.credited"]
    assert (after.due.minor, after.status) == (6900, InvoiceStatus.OPEN)


def test_of_a_paid_invoice_everything_becomes_credit() -> None:
    # It stays paid; the customer has the money.
    invoice = an_open_one()
    paid = invoice.pay(invoice.due, AT)
    note = a_note(paid, {}, whole(paid, {}))
    change = issue(note, paid)
    assert (note.applied.minor, note.credited.minor) == (0, 16_900)
    assert told(change) == ["credit_note.created", "invoice.credited"]
    assert the(Invoice, change).status is InvoiceStatus.PAID


def test_a_note_over_all_that_is_due_ends_the_invoice() -> None:
    # Nothing is due on it any more, which is what paid means.
    invoice = an_open_one()
    change = issue(a_note(invoice, {}, whole(invoice, {})), invoice)
    assert told(change)[-1] == "invoice.paid"
    assert the(Invoice, change).credited == invoice.total


def test_never_more_than_the_invoice() -> None:
    # By amount, by line, and when all was taken back already.
    invoice = an_open_one()
    first, second = (line.id for line in invoice.lines)
    with pytest.raises(CreditAboveInvoice):
        by_amount(invoice, {}, Money(16_901, USD))
    with pytest.raises(CreditAboveInvoice):
        by_line(invoice, {}, {second: Money(5001, USD)})
    before = {first: Money(11_900, USD)}
    with pytest.raises(InvalidInput):
        by_line(invoice, before, {first: None})
    with pytest.raises(NotFound):
        by_line(invoice, before, {InvoiceLineId("il_other"): None})
    assert by_line(invoice, before, {second: None}) == {second: Money(5000, USD)}
    with pytest.raises(CreditAboveInvoice):
        whole(invoice, {**before, second: Money(5000, USD)})


def test_a_line_that_gave_money_back_limits_the_rest() -> None:
    # 100.00 less 40.00: the first line alone cannot be taken back whole.
    lines = [taxed_line(10_000, []), taxed_line(-4000, [])]
    invoice = numbered(with_lines(a_draft(), lines))
    with pytest.raises(CreditAboveInvoice):
        by_line(invoice, {}, {invoice.lines[0].id: None})
    assert [each.minor for each in whole(invoice, {}).values()] == [10_000, -4000]


@pytest.mark.parametrize(
    "status", [InvoiceStatus.DRAFT, InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE]
)
def test_only_what_is_open_or_paid_is_credited(status: InvoiceStatus) -> None:
    # A draft is edited, a void one is taken back already.
    invoice = an_invoice(status)
    with pytest.raises(IllegalTransition):
        issue(note_on(an_invoice(InvoiceStatus.OPEN), 1), invoice)


def test_what_was_credited_is_not_voided() -> None:
    # The void would take back the whole booking a second time.
    invoice = an_open_one()
    after = the(Invoice, issue(a_note(invoice, {}, by_amount(invoice, {}, Money(1, USD))), invoice))
    with pytest.raises(IllegalTransition):
        after.void(AT)


def test_a_cent_has_no_room_for_tax() -> None:
    # A cent of a line with two rates has room for neither of their taxes.
    rates = [terms("19"), terms("7", number=2)]
    invoice = numbered(with_lines(a_draft(), [taxed_line(100, rates)], terms=rates))
    note = a_note(invoice, {}, by_amount(invoice, {}, Money(1, USD)))
    assert (note.tax.minor, note.net.minor) == (0, 1)
    assert invoice.total.minor == 126
