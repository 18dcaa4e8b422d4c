"""What the database put aside of buyer, seller and settings stands on an issued document again.

Only what is printed is put aside, and only when something else takes its place: what nobody said
anything else of since is as it is today.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import asdict

from bursar.domain.customers import Customer
from bursar.domain.document_settings import DocumentSettings, Language, Paper
from bursar.domain.frozen import replace
from bursar.domain.invoice_documents import Printing
from bursar.domain.orgs import Organization
from bursar.domain.rows import Record


class FormerBuyer(msgspec.Struct, frozen=True):
    """What was printed of a customer."""

    name: str
    email: str
    tax_id: str | None
    address: dict[str, str] | None


class FormerSeller(msgspec.Struct, frozen=True):
    """What was printed of an organization, and by whose calendar."""

    name: str
    timezone: str


class FormerSettings(msgspec.Struct, frozen=True):
    """What documents looked like; who had said nothing had what everybody has."""

    language: Language = Language.ENGLISH
    paper: Paper = Paper.A4
    address: dict[str, str] | None = None
    tax_id: str | None = None
    footer: str | None = None
    iban: str | None = None
    bic: str | None = None


def as_issued(today: Printing, formers: Iterable[Record]) -> Printing:
    """The invoice with whom and what it was issued with, from `former_parties`."""
    found = {record["kind"]: record for record in formers}
    return Printing(
        today.invoice,
        _seller(today.organization, found.get("seller")),
        _buyer(today.customer, found.get("buyer")),
        _settings(today.settings, found.get("settings")),
    )


def _buyer(today: Customer, former: Record | None) -> Customer:
    if former is None:
        return today
    return replace(today, **asdict(msgspec.json.decode(former["said"], type=FormerBuyer)))


def _seller(today: Organization, former: Record | None) -> Organization:
    if former is None:
        return today
    return replace(today, **asdict(msgspec.json.decode(former["said"], type=FormerSeller)))


def _settings(today: DocumentSettings, former: Record | None) -> DocumentSettings:
    if former is None:
        return today
    said = msgspec.json.decode(former["said"], type=FormerSettings)
    return replace(today, **asdict(said), logo=former["logo"])
