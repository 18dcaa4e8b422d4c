"""The printed invoice: every text arrives, none is evaluated, and the bytes never change."""

import asyncio
import base64
import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest

from bursar.domain.documents import (
    PAGES_MAX,
    DocumentFact,
    DocumentLine,
    DocumentNotRendered,
    DocumentTotal,
    DocumentWords,
    InvoiceDocument,
)
from bursar.domain.pictures import PNG
from bursar.providers.documents import TypstRenderer
from bursar.runtime import logging

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MADE_AT = datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def renderer() -> Iterator[TypstRenderer]:
    made = TypstRenderer()
    yield made
    made.close()


def a_line(description: str = "Growth plan", amount: str = "$499.00") -> DocumentLine:
    return DocumentLine(description, "1", amount, amount)


def a_document(**changes: Any) -> InvoiceDocument:
    parts: dict[str, Any] = {
        "title": "Invoice",
        "headline": "$548.90 due 30 June 2026",
        "status": "Open",
        "seller": ("Harbour & Finch Ltd", "12 Quay Street", "VAT GB 123 4567 89"),
        "buyer": ("Northwind GmbH", "Hafenstraße 14", "20457 Hamburg"),
        "facts": (DocumentFact("Invoice number", "INV-2026-00042"),),
        "lines": (a_line(),),
        "totals": (
            DocumentTotal("Subtotal", "$499.00"),
            DocumentTotal("Tax 10 %", "$49.90"),
            DocumentTotal("Total", "$548.90", is_strong=True),
        ),
        "made_at": MADE_AT,
        "memo": "Thank you.",
        "footer": "Harbour & Finch Ltd",
    }
    return InvoiceDocument(**(parts | changes))


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return "\n".join(page.extract_text() for page in pages)


def squeezed(text: str) -> str:
    """Line breaks are the printer's business."""
    return "".join(text.split())


async def test_everything_the_document_says_is_printed(renderer: TypstRenderer) -> None:
    # A reader finds the names, number, amounts, status, memo and page number in the PDF.
    text = text_of(await renderer.invoice_pdf(a_document()))
    for said in (
        "Harbour & Finch Ltd",
        "VAT GB 123 4567 89",
        "Hafenstraße 14",
        "INV-2026-00042",
        "Growth plan",
        "$499.00",
        "Tax 10 %",
        "$548.90 due 30 June 2026",
        "OPEN",
        "Thank you.",
        "Page 1 of 1",
    ):
        assert said in text


async def test_the_same_document_gives_the_same_bytes(renderer: TypstRenderer) -> None:
    # Two renderers, two moments, one sequence of bytes; another moment of making is another file.
    other = TypstRenderer()
    first = await renderer.invoice_pdf(a_document())
    second = await other.invoice_pdf(a_document())
    other.close()
    assert first == second
    later = a_document(made_at=MADE_AT + timedelta(days=1))
    assert await renderer.invoice_pdf(later) != first
    about = pypdf.PdfReader(io.BytesIO(first)).metadata
    assert about is not None
    assert about.creation_date == MADE_AT


@pytest.mark.parametrize(
    "hostile",
    [
        '#read("/etc/passwd")',
        "#sys.inputs.document",
        "$x^2$ and $ math $",
        "*bold* _emph_ `raw`",
        "] ) } #[",
        "= heading",
        "- item",
        "back\\slash \\u{41} \\#",
        "\"quotes\" and 'single'",
        "<label> @reference",
        "// comment /* more */",
        '#import "@preview/x:1.0.0"',
        "{{ jinja }} <b>html</b>",
        "#panic()",
    ],
)
async def test_markup_in_a_text_is_printed_and_never_run(
    renderer: TypstRenderer, hostile: str
) -> None:
    # Whatever a customer types into any field is on the page letter for letter.
    document = a_document(
        seller=(hostile,),
        buyer=(hostile,),
        memo=hostile,
        footer=hostile,
        title=hostile,
        lines=(a_line(hostile, hostile),),
        facts=(DocumentFact(hostile, hostile),),
        totals=(DocumentTotal(hostile, hostile),),
    )
    text = squeezed(text_of(await renderer.invoice_pdf(document)))
    assert text.count(squeezed(hostile)) >= 9
    assert "root:" not in text


async def test_other_scripts_and_odd_letters_do_not_stop_a_document(
    renderer: TypstRenderer,
) -> None:
    # Greek, Cyrillic and accents print; what has no glyph is still a document.
    document = a_document(
        buyer=("Ελληνικά Ζητώ", "Привет, мир", "Łódź Ğüşiöç ½ № …"),
        memo="日本語 العربية 🎉 NUL\x00 ESC\x1b \u202egnp.exe\u202c zero\u200bwidth",
    )
    text = text_of(await renderer.invoice_pdf(document))
    assert "Ελληνικά Ζητώ" in text
    assert "Привет, мир" in text
    assert "Łódź" in text
    assert not {"\x1b", "\u202e", "\u202c"} & set(text)
    assert "NUL\ufffd ESC\ufffd \ufffdgnp.exe\ufffd" in text


async def test_a_name_without_any_space_stays_on_the_page(renderer: TypstRenderer) -> None:
    # 500 letters without a break are broken over lines, and none is lost.
    name = "W" * 500
    document = a_document(seller=(name,), buyer=(name,), lines=(a_line(name),))
    text = squeezed(text_of(await renderer.invoice_pdf(document)))
    assert text.count("W") == 3 * 500


async def test_the_head_of_the_table_returns_on_every_page(renderer: TypstRenderer) -> None:
    # A hundred lines take several pages, each with the head, the number and no lost line.
    lines = tuple(a_line(f"Line number {number}.") for number in range(100))
    pages = pypdf.PdfReader(io.BytesIO(await renderer.invoice_pdf(a_document(lines=lines)))).pages
    texts = [page.extract_text() for page in pages]
    assert len(texts) > 2
    for at, text in enumerate(texts, start=1):
        assert f"Page {at} of {len(texts)}" in text
    assert all("DESCRIPTION" in text for text in texts[:-1])
    whole = "\n".join(texts)
    assert all(f"Line number {number}." in whole for number in range(100))


async def test_a_document_of_too_many_pages_is_refused(renderer: TypstRenderer) -> None:
    # The largest invoice that can be asked for ends in a refusal within seconds, never in a hang.
    lines = tuple(a_line("word " * 400) for _ in range(1_000))
    async with asyncio.timeout(10):
        with pytest.raises(DocumentNotRendered):
            await renderer.invoice_pdf(a_document(lines=lines))


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    # The caller waits for the limit and not for the printer.
    impatient = TypstRenderer(timeout_seconds=0.001)
    lines = tuple(a_line(f"Line {number}") for number in range(900))
    with pytest.raises(DocumentNotRendered):
        await impatient.invoice_pdf(a_document(lines=lines))
    impatient.close()


async def test_what_nobody_waits_for_steps_behind() -> None:
    # The threads of a worker's printer have less of a claim to a core; those of an API's have not.
    def steps_behind() -> bool:
        own = os.nice(0)
        for each in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # a thread of another test that ends
                if os.getpriority(os.PRIO_PROCESS, int(each.name)) > own:
                    return True
        return False

    for is_awaited in (True, False):
        made = TypstRenderer(is_awaited=is_awaited)
        assert await made.draws(PIXEL)
        assert steps_behind() is not is_awaited
        made.close()


async def test_a_number_is_copied_as_it_is(renderer: TypstRenderer) -> None:
    # However long: no letter of no width stands in the text that somebody copies.
    number = "INV-2026-1234567890123456789012"
    document = a_document(buyer=("Anna", number), lines=(a_line("x" * 90),))
    text = text_of(await renderer.invoice_pdf(document))
    assert number in text
    assert not {"\u200b", "\u2060", "\u00ad"} & set(text)


async def test_the_sum_so_far_is_carried_to_the_next_page(renderer: TypstRenderer) -> None:
    # At the foot of every page but the last, and it is that of the page's last line.
    lines = tuple(
        DocumentLine(f"Line {n}.", "1", "1.00", "1.00", f"Sum {n}.") for n in range(1, 61)
    )
    body = await renderer.invoice_pdf(a_document(lines=lines))
    texts = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(body)).pages]
    for text in texts:
        here = [n for n in range(1, 61) if f"Line {n}." in text]
        sums = [n for n in range(1, 61) if f"Sum {n}." in text]
        assert sums == (here[-1:] if here and here[-1] < 60 else []), sums


async def test_paper_logo_notes_and_bank_are_printed(renderer: TypstRenderer) -> None:
    # Letter is wider than A4 and shorter; the words are the document's own.
    words = DocumentWords(page="Seite {page} von {pages}", bill_to="Rechnung an", bank="Bank")
    document = a_document(
        paper="letter", notes=("Reverse charge.",), bank=("IBAN DE02",), words=words, logo=PIXEL
    )
    pages = pypdf.PdfReader(io.BytesIO(await renderer.invoice_pdf(document))).pages
    assert round(pages[0].mediabox.width) == 612
    text = pages[0].extract_text()
    for said in ("Seite 1 von 1", "RECHNUNG AN", "Reverse charge.", "IBAN DE02"):
        assert said in text


async def test_the_link_to_pay_is_printed_as_words_and_as_a_code(renderer: TypstRenderer) -> None:
    # Both lead to the same place; the code is drawn, not a picture that scales badly.
    url = "https://pay.example/i/" + "Ab1-" * 24
    plain, linked = [
        pypdf.PdfReader(io.BytesIO(await renderer.invoice_pdf(a_document(payment_url=each))))
        for each in (None, url)
    ]
    assert "/Annots" not in plain.pages[0]
    found: list[Any] = [each.get_object() for each in linked.pages[0].annotations or ()]
    assert [each["/A"].get_object()["/URI"] for each in found] == [url, url]
    assert "Pay online" in linked.pages[0].extract_text()
    assert list(linked.pages[0].images) == []


async def test_a_logo_that_is_no_picture_is_left_out(
    renderer: TypstRenderer, capsys: pytest.CaptureFixture[str]
) -> None:
    # The invoice is printed as if there were none, and the log says so.
    logging.configure(level="warning", is_development=False, stream=sys.stderr)
    broken = await renderer.invoice_pdf(a_document(logo=PNG + b"nothing"))
    assert broken == await renderer.invoice_pdf(a_document())
    assert "document.logo_left_out" in capsys.readouterr().err


async def test_what_is_refused_with_a_good_logo_stays_refused(renderer: TypstRenderer) -> None:
    # Only a logo that cannot be drawn is to blame for what cannot be printed.
    assert await renderer.draws(PIXEL)
    assert not await renderer.draws(PNG)
    lines = tuple(a_line("word " * 400) for _ in range(PAGES_MAX + 10))  # each takes a page
    with pytest.raises(DocumentNotRendered):
        await renderer.invoice_pdf(a_document(lines=lines, logo=PIXEL))
