"""The rounding law over taxes and discounts: once for each rate, shared to the minor unit."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.domain.nouns import AT, LATER, NUMBER, USD, a_draft, a_line, the
from tests.domain.tapes import Tape

from bursar.domain.currencies import EXPONENTS, Currency, currency
from bursar.domain.discounts import Reduction
from bursar.domain.frozen import replace
from bursar.domain.ids import TaxRateId
from bursar.domain.invoice_lines import InvoiceLine
from bursar.domain.invoices import Invoice, with_lines
from bursar.domain.ledger import entry_sums
from bursar.domain.money import Money, Rate, half_even
from bursar.domain.refusals import InvalidInput
from bursar.domain.taxes import LineTax, TaxableLine, Taxation, TaxCategory, TaxTerms, taxation

JPY, KWD = currency("jpy"), currency("kwd")
CASES_PROOF = 2_000
CASES_DEEP = 10_000

PERCENT_TICKS = 100 * 10**4  # four places
RATES_MAX = 4
LINES_MAX = 6
DOCUMENT_BYTES = 160  # as much as the longest document reads
MINORS = (-(10**9), 10**12)
MINOR_BYTES_MAX = 5
SMALL_MINORS: tuple[int, ...] = (*range(1, 1001), 0, *range(-1, -101, -1))
CODES = sorted(EXPONENTS)

percentages = st.integers(0, PERCENT_TICKS).map(lambda each: Decimal(each).scaleb(-4))
currencies = st.sampled_from(CODES)
minors = st.one_of(st.integers(-100, 1000), st.integers(*MINORS))


def terms(percent: str | Decimal, *, inside: bool = False, number: int = 1) -> TaxTerms:
    name = f"txr_{number}{'i' if inside else ''}"
    rate = Rate(Decimal(percent))
    return TaxTerms(TaxRateId(name), name, rate, inside, TaxCategory.STANDARD)


def taxed_line(minor: int, rates: Sequence[TaxTerms], code: Currency = USD) -> InvoiceLine:
    zero = Money.zero(code)
    taxes = tuple(LineTax(each.rate_id, zero, each.is_inclusive) for each in rates)
    return replace(a_line(minor, code=code), taxes=taxes)


def document(tape: Tape) -> Invoice:
    """Lines of both signs, up to four rates of both kinds, discounts on lines and the document."""
    code = tape.pick(CODES)
    table = [
        terms(a_percentage(tape), inside=tape.says(), number=number)
        for number in range(tape.below(RATES_MAX + 1))
    ]
    # Two included rates at most: more of them may be refused over tiny prices.
    inside = [each for each in table if each.is_inclusive][:2]
    table = [each for each in table if not each.is_inclusive or each in inside]
    lines = []
    for _ in range(1 + tape.below(LINES_MAX)):
        rates = [each for each in table if tape.says()]
        line = taxed_line(a_minor(tape), rates, code)
        own = tuple(a_reduction(tape, code) for _ in range(tape.below(2)))
        lines.append(replace(line, reductions=own))
    taken = [a_reduction(tape, code) for _ in range(tape.below(3))]
    return with_lines(a_draft(code=code), lines, reductions=taken, terms=table)


def a_minor(tape: Tape) -> int:
    """Small and large amounts of both signs, each number of digits about as often."""
    width = tape.below(MINOR_BYTES_MAX + 1)
    if not width:
        return tape.pick(SMALL_MINORS)
    is_negative = tape.below(4) == 3
    least, most = MINORS
    return max(-tape.number(width), least) if is_negative else min(tape.number(width), most)


def a_percentage(tape: Tape) -> Decimal:
    """Whole ones and halves more often than any of four places."""
    if tape.says():
        return Decimal(tape.below(PERCENT_TICKS + 1)).scaleb(-4)
    return Decimal(tape.below(201)) * Decimal("0.5")


def a_reduction(tape: Tape, code: Currency) -> Reduction:
    """So much, or such a part, of what is there."""
    if tape.says():
        return Reduction("Off", percent_off=Rate(a_percentage(tape)))
    return Reduction("Off", amount_off=Money(1 + tape.number(tape.below(3)), code))


@st.composite
def documents(draw: st.DrawFn) -> Invoice:
    """Every document there is, of one draw."""
    return document(Tape(draw(st.binary(min_size=DOCUMENT_BYTES, max_size=DOCUMENT_BYTES))))


def keeps_the_law(invoice: Invoice) -> None:
    """Every sum is the sum of its parts, every rate was rounded once, every share is a neighbor."""
    zero = Money.zero(invoice.currency)
    lines = invoice.lines
    assert invoice.subtotal == sum((each.amount for each in lines), zero)
    assert invoice.discount == sum((each.discount for each in lines), zero)
    assert invoice.tax == sum((each.amount for each in invoice.taxes), zero)
    assert invoice.total - invoice.excess == sum((each.total for each in lines), zero)
    assert invoice.net + invoice.tax == invoice.total - invoice.excess
    assert zero in {invoice.total, invoice.excess}
    for applied in invoice.taxes:
        exact = [exactly(line, applied.terms, invoice) for line in lines]
        whole = sum(exact, Fraction(0))
        assert applied.amount.minor == half_even(whole.numerator, denominator=whole.denominator)
        shares = [share(line, applied.terms.rate_id) for line in lines]
        assert sum(shares) == applied.amount.minor
        assert all(abs(one - other) < 1 for one, other in zip(shares, exact, strict=True))


def exactly(line: InvoiceLine, wanted: TaxTerms, invoice: Invoice) -> Fraction:
    """The tax of a line before any rounding of it, worked out another way than the code does."""
    ids = [each.rate_id for each in line.taxes]
    if wanted.rate_id not in ids:
        return Fraction(0)
    percent = Fraction(wanted.rate.percent)
    if not wanted.is_inclusive:
        return (line.net - line.tax_included).minor * percent / 100
    known = [each.terms for each in invoice.taxes if each.terms.rate_id in ids]
    inside = sum(Fraction(each.rate.percent) for each in known if each.is_inclusive)
    return line.net.minor * percent / (100 + inside)


def share(line: InvoiceLine, rate_id: TaxRateId) -> int:
    return sum(each.amount.minor for each in line.taxes if each.rate_id == rate_id)


@given(documents())
@settings(max_examples=60)
def test_a_document_adds_up_to_the_minor_unit(invoice: Invoice) -> None:
    # Whatever is on it, in every currency.
    keeps_the_law(invoice)


@pytest.mark.proof
@given(documents())
@settings(max_examples=CASES_PROOF, deadline=None)
def test_two_thousand_documents_add_up_to_the_minor_unit(invoice: Invoice) -> None:
    # The same law, for as many as a minute has room for.
    keeps_the_law(invoice)


@pytest.mark.deep
@given(documents())
@settings(max_examples=CASES_DEEP, deadline=None)
def test_ten_thousand_documents_add_up_to_the_minor_unit(invoice: Invoice) -> None:
    # The same law, tried until a fault would have shown.
    keeps_the_law(invoice)


@given(documents())
@settings(max_examples=40)
def test_what_is_booked_is_what_is_on_the_document(invoice: Invoice) -> None:
    # Receivable or credit the total, revenue the net, each rate its tax; void leaves nothing.
    opened = the(Invoice, invoice.finalize(NUMBER, due_at=LATER, at=AT))
    booked = invoice.finalize(NUMBER, due_at=LATER, at=AT).postings
    sums = {account.code: minor for account, minor in entry_sums(booked).items()}
    owed = (invoice.total - invoice.excess).minor
    customer = f"{'credit' if owed < 0 else 'receivable'}:{invoice.customer_id}"
    assert sums.get(customer, 0) == owed
    assert sums.get("revenue", 0) == -invoice.net.minor
    for tax in invoice.taxes:
        assert sums.get(f"tax_payable:{tax.terms.rate_id}", 0) == -tax.amount.minor
    if opened.status.value == "open":
        undone = [*booked, *opened.void(AT).postings]
        assert not any(entry_sums(undone).values())


@given(st.lists(minors, min_size=1, max_size=6), percentages, st.booleans(), currencies)
@settings(max_examples=60)
def test_what_is_given_back_is_the_mirror_of_what_was_charged(
    amounts: list[int], percent: Decimal, inside: bool, code: Currency
) -> None:
    # Line by line: taking all back leaves nothing over.
    rate = terms(percent, inside=inside)

    def taxes(sign: int) -> list[int]:
        lines = [TaxableLine(Money(sign * each, code), (rate.rate_id,)) for each in amounts]
        return [tax.amount.minor for line in taxation(lines, [rate], code).lines for tax in line]

    assert [-each for each in taxes(-1)] == taxes(1)


# What has gone wrong elsewhere: (what, currency, amounts, rates, tax of each line by rate).
FAULTS: list[tuple[str, Currency, list[int], list[TaxTerms], list[list[int]]]] = [
    # Rounding each line: three times 0.5 would be nothing; once over the sum it is 1.5, so 2.
    ("per line", USD, [5, 5, 5], [terms("10")], [[1, 1, 0]]),
    # Binary floats: 1.005 is 1.00499…, and 8.875 % of 19.99 is 1.7741….
    ("floats", USD, [1999], [terms("8.875")], [[177]]),
    ("floats", KWD, [1005], [terms("5")], [[50]]),
    # Half up instead of half even: 0.5 yen of 5 and of 15 yen.
    ("half up", JPY, [5], [terms("10")], [[0]]),
    ("half up", JPY, [15], [terms("10")], [[2]]),
    # A currency without minor units treated as one with two.
    ("exponent", JPY, [1058], [terms("8")], [[85]]),
    # Included tax taken as if it were on top: 19 % of 10.00 is 1.90, in it are 1.60.
    ("inside", USD, [1000], [terms("19", inside=True)], [[160]]),
    # Included tax of one unit times the quantity: 3 x 1.67 instead of 5.00 in 29.97.
    ("per unit", USD, [2997], [terms("20", inside=True)], [[500]]),
    # Two included rates taken out one after the other: GST and QST in 114.98.
    (
        "stacked",
        USD,
        [11498],
        [terms("5", inside=True), terms("9.975", inside=True, number=2)],
        [[500], [998]],
    ),
    # Tax on tax: a rate on top lies on what is left without the included one.
    (
        "compounded",
        USD,
        [11900],
        [terms("19", inside=True), terms("1", number=2)],
        [[1900], [100]],
    ),
    # The last line as the dustbin of all rest: it belongs to the largest remainders.
    ("dustbin", USD, [1, 1, 98], [terms("50")], [[1, 0, 49]]),
    # A line that gives money back taxed as if it were a sale.
    ("given back", USD, [1000, -400], [terms("19")], [[190, -76]]),
]


@pytest.mark.parametrize(("fault", "code", "amounts", "rates", "wanted"), FAULTS)
def test_faults_known_from_elsewhere(
    fault: str,
    code: Currency,
    amounts: list[int],
    rates: list[TaxTerms],
    wanted: list[list[int]],
) -> None:
    # Each worked out by hand.
    assert by_rate(taxation(lines_of(amounts, rates, code), rates, code)) == wanted, fault


def lines_of(amounts: list[int], rates: list[TaxTerms], code: Currency) -> list[TaxableLine]:
    ids = tuple(each.rate_id for each in rates)
    return [TaxableLine(Money(minor, code), ids) for minor in amounts]


def by_rate(found: Taxation) -> list[list[int]]:
    return [[tax.amount.minor for tax in column] for column in zip(*found.lines, strict=True)]


def test_included_taxes_never_eat_up_more_than_the_price() -> None:
    # Five rates of 100 % over four units would each round up to one.
    rates = [terms("100", inside=True, number=number) for number in range(5)]
    with pytest.raises(InvalidInput):
        taxation(lines_of([4], rates, USD), rates, USD)


def test_discounts_come_before_taxes_and_lines_before_the_document() -> None:
    # 100.00, less 10.00 of its own, less 20 % of the 140.00 that are left with the other line.
    vat = terms("19")
    first = replace(
        taxed_line(10_000, [vat]), reductions=(Reduction("Own", amount_off=Money(1000, USD)),)
    )
    invoice = with_lines(
        a_draft(),
        [first, taxed_line(5000, [])],
        reductions=[Reduction("All", percent_off=Rate(Decimal(20)))],
        terms=[vat],
    )
    assert [each.discount.minor for each in invoice.lines] == [2800, 1000]
    assert (invoice.discount.minor, invoice.tax.minor, invoice.total.minor) == (3800, 1368, 12_568)
    assert invoice.taxes[0].taxable == Money(7200, USD)


def test_more_given_back_than_charged_is_credit_and_paid_at_once() -> None:
    # Nothing is due, the excess with its tax is the customer's.
    vat = terms("19")
    lines = [taxed_line(1000, [vat]), taxed_line(-3000, [vat])]
    invoice = with_lines(a_draft(), lines, terms=[vat])
    assert (invoice.total.minor, invoice.excess.minor, invoice.tax.minor) == (0, 2380, -380)
    change = invoice.finalize(NUMBER, due_at=LATER, at=AT)
    assert [event.name for event in change.events] == ["invoice.finalized", "invoice.paid"]
    assert [posting.kind for posting in change.postings] == ["excess_credited"]
