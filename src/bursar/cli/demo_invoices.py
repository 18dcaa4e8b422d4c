"""The scenes of one invoice: drafted, edited, made final, printed, shown; later, its history."""

import io
from typing import Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from bursar.cli.demo_cast import CUSTOMER_NAME, Cast, require
from bursar.cli.demo_http import Heard, Unexpected

_FIRST_CENTS: Final = 2 * 4_900 + 120_000 + 250
_TOTAL_CENTS: Final = 3 * 4_900 + 120_000 + 250
_TOTAL_TEXT: Final = "1,349.50 USD"
_MAY_BREAK: Final = "\u200b"
_FIRST: Final = "-00001"
_LIFE: Final = ("invoice.created", "invoice.updated", "invoice.finalized", "invoice.paid")


async def draft_and_edit(cast: Cast) -> str:
    """Three lines, one of them priced below a cent; then one more seat."""
    body = {"customerId": cast.customer_id, "lines": _lines(seats=2)}
    draft = (await cast.program.post("/v1/invoices", body)).expect(201).value
    require(
        wanted=("draft", _FIRST_CENTS, None),
        came=(draft["status"], draft["totalCents"], draft["invoiceNumber"]),
    )
    cast.invoice = draft
    patch = {"lines": _lines(seats=3), "memo": "Thank you for counting with us."}
    edited = (await cast.program.patch(cast.invoice_path, patch)).expect(200).value
    require(wanted=("draft", _TOTAL_CENTS), came=(edited["status"], edited["totalCents"]))
    return f"{draft['id']}: {_FIRST_CENTS} cents, edited to {_TOTAL_CENTS}"


def _lines(*, seats: int) -> list[dict[str, object]]:
    return [
        {"description": "Seat", "quantity": seats, "unitAmountCents": 4_900},
        {"description": "Setup", "unitAmountCents": 120_000},
        {"description": "API call", "quantity": 1_000, "unitAmountDecimal": "0.25"},
    ]


async def finalize(cast: Cast) -> str:
    """It gets the first number of its organization, and opens for payment."""
    final = (await cast.program.post(f"{cast.invoice_path}/finalize")).expect(200).value
    require(
        wanted=("open", _FIRST, _TOTAL_CENTS),
        came=(final["status"], final["invoiceNumber"][-len(_FIRST) :], final["amountDueCents"]),
    )
    cast.invoice = final
    return f"number {final['invoiceNumber']}, {_TOTAL_TEXT} due"


async def read_pdf(cast: Cast) -> str:
    """The document says what the invoice says."""
    heard = (await cast.program.get(f"{cast.invoice_path}/pdf")).expect(200)
    try:
        pages = PdfReader(io.BytesIO(heard.body)).pages
        text = " ".join(page.extract_text() for page in pages)
    except PyPdfError as refused:
        raise Unexpected("a PDF", came=refused) from None
    number = cast.invoice["invoiceNumber"]
    # The typesetter marks where a long word may be broken.
    text = " ".join(text.replace(_MAY_BREAK, "").split())
    _require_words(text, number, CUSTOMER_NAME, _TOTAL_TEXT)
    return f"{len(heard.body)} bytes say {number}, {CUSTOMER_NAME}, {_TOTAL_TEXT}"


async def open_hosted_page(cast: Cast) -> str:
    """What the customer sees, without an account or a script."""
    url = cast.invoice["hostedInvoiceUrl"]
    page: Heard = (await cast.browser.get(url)).expect(200)
    _require_words(page.text, cast.invoice["invoiceNumber"], CUSTOMER_NAME, _TOTAL_TEXT, "Pay now")
    return f"/i/… shows {_TOTAL_TEXT} and a button to pay"


async def read_timeline(cast: Cast) -> str:
    """What happened to the invoice, oldest first, each with who did it."""
    entries = (await cast.program.get(f"{cast.invoice_path}/timeline")).expect(200).value
    told = [entry["eventType"] for entry in entries]
    of_invoice = tuple(dict.fromkeys(each for each in told if each in _LIFE))
    require(wanted=_LIFE, came=of_invoice)
    moments = [entry["occurredAt"] for entry in entries]
    require(wanted=sorted(moments), came=moments)
    if not all(entry["actor"] for entry in entries):
        raise Unexpected("an actor on every entry", came=entries)
    return " → ".join(told)


async def balance_books(cast: Cast) -> str:
    """Debits and credits are equal in every currency."""
    balances = (await cast.program.get("/v1/ledger/trial-balance")).expect(200).value
    if not balances:
        raise Unexpected("a trial balance", came="no account at all")
    for each in balances:
        require(wanted=each["debitCents"], came=each["creditCents"])
        require(wanted=True, came=each["isBalanced"])
    return ", ".join(
        f"{each['currency']}: {each['debitCents']} − {each['creditCents']} = 0" for each in balances
    )


def _require_words(text: str, *wanted: str) -> None:
    for each in wanted:
        if each not in text:
            raise Unexpected(f"{each!r} in the text", came=text)
