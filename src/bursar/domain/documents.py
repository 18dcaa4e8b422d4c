"""What a printed invoice says, and what Bursar asks of whoever prints it.

Every text arrives formatted: amounts with their currency, dates in the reader's order. The printer
lays out and computes nothing, so a document cannot disagree with the books. Every text is printed
letter for letter; nothing in it is ever read as markup.
"""

from typing import Final, Protocol

from msgspec import Struct, field

from bursar.domain.times import Instant

LINES_MAX: Final = 1_000
TEXT_MAX: Final = 2_000
PAGES_MAX: Final = 200


class DocumentNotRendered(Exception):
    """No document within the limits of time and pages; asking again may help when it was time."""


class DocumentLine(Struct, frozen=True):
    """One row of the table; `carried` is the sum of all the rows up to it."""

    description: str
    quantity: str
    unit_amount: str
    amount: str
    carried: str = ""


class DocumentTotal(Struct, frozen=True):
    """One row under the table: `Subtotal`, `Tax 20 %`, `Paid`. A strong one stands out."""

    label: str
    amount: str
    is_strong: bool = False


class DocumentFact(Struct, frozen=True):
    """One labelled fact at the head: `Invoice number`, `Issued`, `Due`."""

    label: str
    value: str


class DocumentWords(Struct, frozen=True, kw_only=True):
    """What the printer says by itself, in the document's language."""

    bill_to: str = "Bill to"
    sender: str = "From"
    description: str = "Description"
    quantity: str = "Quantity"
    unit_price: str = "Unit price"
    amount: str = "Amount"
    page: str = "Page {page} of {pages}"
    note: str = "Note"
    pay_online: str = "Pay online"
    carried: str = "Carried forward"
    bank: str = "Bank details"


class InvoiceDocument(Struct, frozen=True):
    """An invoice as it is read. `made_at` is the PDF's only clock: same document, same bytes.

    `seller` and `buyer` begin with the name; the further lines are address and tax ids.
    `headline` is the one sentence under the title: `€ 1,204.00 due 30 June 2026`.
    """

    title: str
    headline: str
    status: str
    seller: tuple[str, ...]
    buyer: tuple[str, ...]
    facts: tuple[DocumentFact, ...]
    lines: tuple[DocumentLine, ...]
    totals: tuple[DocumentTotal, ...]
    made_at: Instant
    memo: str = ""
    footer: str = ""
    payment_url: str | None = None
    language: str = "en"
    paper: str = "a4"
    logo: bytes | None = None
    einvoice: bytes | None = None
    notes: tuple[str, ...] = ()
    bank: tuple[str, ...] = ()
    words: DocumentWords = field(default=DocumentWords())

    def __post_init__(self) -> None:
        assert self.seller, "an invoice is somebody's"
        assert self.buyer, "an invoice is to somebody"
        assert len(self.lines) <= LINES_MAX, "the caller bounds the lines of an invoice"


class DocumentRenderer(Protocol):
    """Prints documents."""

    @property
    def press(self) -> str:
        """A name for all that the bytes of a print come from, beside the document."""
        ...

    async def draws(self, picture: bytes) -> bool:
        """Whether a logo can be printed."""
        ...

    async def invoice_pdf(self, document: InvoiceDocument) -> bytes:
        """The PDF's bytes, the same ones for the same document; without a logo that is broken.

        Raises:
            DocumentNotRendered: it took too long or would have too many pages.
        """
        ...
