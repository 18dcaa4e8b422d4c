"""Prints: the last PDF of each document, good for as long as the document says the same.

A print is known by the digest of its bytes; whether it still is the document's is told by the
fingerprint of what the document says and of the press that printed it. A document that changed
(paid, credited, a new link) is printed again, and one that changed back is too.
"""

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Struct

from bursar.domain.documents import InvoiceDocument
from bursar.domain.ids import CreditNoteId, InvoiceId

PRINT_LABEL: Final = "print"
"""Whose key encrypts them."""


class Paper(Struct, frozen=True):
    """What is to be printed, and of what: an invoice, or a credit note on one."""

    subject_id: InvoiceId | CreditNoteId
    invoice_id: InvoiceId
    document: InvoiceDocument


class Print(Struct, frozen=True):
    """A PDF and its digest."""

    digest: bytes
    body: bytes


def print_of(body: bytes) -> Print:
    """The bytes with their digest."""
    return Print(sha256(body).digest(), body)


def fingerprint(document: InvoiceDocument, press: str) -> bytes:
    """Two documents with the same one are printed as the same bytes, on this press."""
    said = msgspec.json.encode(document)
    return sha256(sha256(press.encode()).digest() + said).digest()
