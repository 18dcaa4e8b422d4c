"""The printed invoice says what the books say, in words of the organization's own calendar."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.domain.nouns import AT, LATER, NUMBER, USD, a_draft, an_open_invoice, the

from bursar.domain import invoices
from bursar.domain.currencies import currency
from bursar.domain.document_settings import Language, settings_unsaid
from bursar.domain.documents import DocumentWords, InvoiceDocument
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, TaxRateId
from bursar.domain.invoice_documents import Printing
from bursar.domain.invoice_lines import Charge, LineDetails, priced_line
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money, Rate
from bursar.domain.shapes.samples import CUSTOMER, ORGANIZATION
from bursar.domain.taxes import TaxCategory, TaxTerms
from bursar.domain.wording import ENGLISH


def document_of(invoice: Invoice) -> InvoiceDocument:
    settings = settings_unsaid(ORGANIZATION.id, AT)
    return Printing(invoice, ORGANIZATION, CUSTOMER, settings).document()


def test_an_open_invoice_says_what_is_due_and_when() -> None:
    # Title, headline, number and the three parties' texts are all there.
    document = document_of(an_open_invoice(120_400))
    assert (document.title, document.status) == ("Invoice", "Open")
    assert document.headline == "1,204.00 USD due 2 March 2026"
    assert ("Invoice number", "INV-2026-00001") in [(f.label, f.value) for f in document.facts]
    assert document.seller == ("Acme Cloud",)
    assert document.buyer == (
        "Globex Corporation",
        "Hauptstraße 1",
        "Berlin",
        "DE",
        "billing@globex.example",
        "Tax ID DE123456789",
    )


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            {"line1": "Spreeweg 1", "city": "Berlin", "postalCode": "10557", "country": "DE"},
            ("Spreeweg 1", "10557 Berlin", "DE"),
        ),
        (
            {"line1": "1 Main St", "city": "Austin", "state": "TX", "postalCode": "78701"}
            | {"country": "US", "line2": "Suite 9"},
            ("1 Main St", "Suite 9", "Austin TX 78701", "US"),
        ),
        ({"country": "FR", "department": "Achats", "line2": ""}, ("Achats", "FR")),
        ({"postalCode": "75002"}, ("75002",)),
    ],
)
def test_an_address_is_written_as_on_a_letter(
    address: dict[str, str], lines: tuple[str, ...]
) -> None:
    # Street, town with its number as the country writes it, whatever else, and the country.
    settings = replace(settings_unsaid(ORGANIZATION.id, AT), address=address)
    printing = Printing(an_open_invoice(100), ORGANIZATION, CUSTOMER, settings)
    assert printing.document().seller == ("Acme Cloud", *lines)


def test_a_paid_one_says_so_and_owes_nothing() -> None:
    # The total, what was paid and what is left, the two sums that matter strong.
    opened = an_open_invoice(1000)
    document = document_of(opened.pay(opened.due, LATER))
    assert document.headline == "10.00 USD paid 2 March 2026"
    assert [(each.label, each.amount, each.is_strong) for each in document.totals] == [
        ("Subtotal", "10.00 USD", False),
        ("Total", "10.00 USD", True),
        ("Paid", "10.00 USD", False),
        ("Due", "0.00 USD", True),
    ]


def test_a_draft_and_a_void_one_cannot_be_mistaken() -> None:
    # A draft has no number and is called one; a void one says when it was taken back.
    assert document_of(a_draft()).title == "Draft invoice"
    assert "Invoice number" not in [fact.label for fact in document_of(a_draft()).facts]
    void = the(Invoice, an_open_invoice().void(LATER))
    assert document_of(void).status == "Void"
    assert ("Voided", "2 March 2026") in [(f.label, f.value) for f in document_of(void).facts]


@pytest.mark.parametrize(
    ("unit", "code", "said"),
    [
        ("1999", "usd", "19.99 USD"),
        ("0.25", "usd", "0.0025 USD"),
        ("0.000000000001", "usd", "0.00000000000001 USD"),
        ("1234500", "usd", "12,345.00 USD"),
        ("500", "jpy", "500 JPY"),
        ("0.5", "jpy", "0.5 JPY"),
        ("1000", "kwd", "1.000 KWD"),
    ],
)
def test_a_unit_price_is_printed_exactly(unit: str, code: str, said: str) -> None:
    # With the currency's decimals at least, and as many more as the price has.
    money = currency(code)
    priced = priced_line(InvoiceLineId("il_1"), Charge("x", 1200, Decimal(unit)), money)
    (line,) = document_of(invoices.with_lines(a_draft(code=money), [priced])).lines
    assert (line.quantity, line.unit_amount) == ("1,200", said)


def test_a_discount_and_a_tax_are_printed_when_there_are_any() -> None:
    # Between subtotal and total, the discount as what it takes away.
    draft = replace(a_draft(1000), discount=Money(100, USD), tax=Money(90, USD))
    labels = {each.label: each.amount for each in document_of(draft).totals}
    assert (labels["Discount"], labels["Tax"]) == ("-1.00 USD", "0.90 USD")


def test_amounts_and_days_in_words() -> None:
    # Thousands apart, the sign in front; the day of the place, not of Greenwich.
    assert ENGLISH.money(Money(-123_456_789, USD)) == "-1,234,567.89 USD"
    assert ENGLISH.money(Money(-5, USD)) == "-0.05 USD"
    evening = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert ENGLISH.day_of(evening, "UTC") == "31 December 2026"
    assert ENGLISH.day_of(evening, "Asia/Tokyo") == "1 January 2027"


def test_the_same_invoice_gives_the_same_document() -> None:
    # Its clock is the invoice's own.
    finalized = a_draft().finalize(NUMBER, due_at=LATER, at=AT)
    invoice = the(Invoice, finalized)
    assert document_of(invoice) == document_of(invoice)
    assert document_of(invoice).made_at == invoice.updated_at


@pytest.mark.parametrize(
    ("language", "title", "headline"),
    [
        (Language.GERMAN, "Rechnung", "1.204,00 USD fällig am 2. März 2026"),
        (Language.FRENCH, "Facture", "1\u202f204,00 USD à régler avant le 2 mars 2026"),
        (Language.SPANISH, "Factura", "1.204,00 USD con vencimiento el 2 de marzo de 2026"),
    ],
)
def test_it_speaks_four_languages(language: Language, title: str, headline: str) -> None:
    # Labels, figures and days; what was typed stays as it was typed.
    settings = replace(settings_unsaid(ORGANIZATION.id, AT), language=language, tax_id="DE1")
    printing = Printing(an_open_invoice(120_400), ORGANIZATION, CUSTOMER, settings)
    document = printing.document()
    assert (document.title, document.headline) == (title, headline)
    assert document.words != DocumentWords()
    assert document.seller[-1].endswith(" DE1")
    assert document == printing.document(language)
    assert printing.document(Language.ENGLISH).title == "Invoice"


def test_each_tax_says_what_it_lies_on() -> None:
    # Name, rate, base and amount; the law's words beneath.
    terms = [
        TaxTerms(TaxRateId("txr_1"), "VAT", Rate(Decimal(19)), False, TaxCategory.STANDARD),
        TaxTerms(TaxRateId("txr_2"), "VAT", Rate(Decimal(0)), False, TaxCategory.REVERSE_CHARGE),
    ]
    lines = [
        priced_line(
            InvoiceLineId(f"il_{n}"), Charge("x", 1, Decimal(1000)), USD, LineDetails(terms=(each,))
        )
        for n, each in enumerate(terms)
    ]
    document = document_of(invoices.with_lines(a_draft(), lines, terms=terms))
    labels = [(each.label, each.amount) for each in document.totals]
    assert ("VAT 19 % on 10.00 USD", "1.90 USD") in labels
    assert ("VAT 0 % on 10.00 USD", "0.00 USD") in labels
    assert document.notes == ("Reverse charge: the recipient owes the tax.",)
    assert [each.carried for each in document.lines] == ["10.00 USD", "20.00 USD"]
