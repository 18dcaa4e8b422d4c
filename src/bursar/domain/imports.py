"""Imports: customers and what they have to their credit, taken over from elsewhere.

Each row carries the `reference` under which the other place knew the customer: whatever was taken
over under it is not taken over again, so a file may be sent twice or begun anew where it stopped.
A row that cannot be taken names its field and stops no other. Refuses debts: what is owed is an
invoice.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.currencies import Currency, currency
from bursar.domain.customers import TaxTreatment
from bursar.domain.events import ImportFinished
from bursar.domain.ids import CustomerId, ImportId, MalformedId, parse_id
from bursar.domain.import_files import CELL_LENGTH_MAX, FileFormat, FileRow, RowFault, rows_of
from bursar.domain.mails import is_mailbox
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.refusals import InvalidInput
from bursar.domain.tax_ids import require_form
from bursar.domain.times import Instant

FAULTS_KEPT_MAX: Final = 100
METADATA_MAX: Final = 50
_REFERENCE: Final = "reference"
_CUSTOMER: Final = "customerId"
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
_TAX_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,49}")
_COUNTRY: Final = re.compile("[A-Z]{2}")
_DIGITS: Final = re.compile("[0-9]{1,16}")
_PARTS: Final = ("line1", "line2", "city", "state", "postalCode", "country")


class ImportKind(StrEnum):
    """What the rows are."""

    CUSTOMERS = "customers"
    OPENING_BALANCES = "opening_balances"


class Import(Struct, frozen=True, kw_only=True):
    """What came of one file: so many rows made something, were known already, or were refused."""

    id: ImportId
    kind: ImportKind
    format: FileFormat
    created: int
    unchanged: int
    failed: int
    faults: tuple[RowFault, ...]  # the first of them
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def finish(self) -> Change:
        """The import is over."""
        return Change(rows=(self,), events=(ImportFinished(self),))


class CustomerRow(Struct, frozen=True):
    """A customer to take over; the digest tells the same row from another one."""

    row: FileRow
    reference: str
    digest: bytes
    email: str
    name: str
    currency: Currency | None
    tax_id: str | None
    tax_treatment: TaxTreatment
    address: dict[str, str] | None
    metadata: dict[str, str]


class BalanceRow(Struct, frozen=True):
    """What a customer has to their credit, by the reference they came with or by their own id."""

    row: FileRow
    reference: str | None
    customer_id: CustomerId | None
    amount_minor: int
    currency: Currency | None


@dataclass
class _Reading:
    """One row as it is read: what is said, and what is wrong with it."""

    row: FileRow
    faults: list[RowFault] = field(default_factory=list)

    def needs(self, name: str, check: Callable[[str], str | None]) -> str:
        """A cell that has to say something; "" when it is not as it should be."""
        if name not in self.row.cells:
            self.faults.append(self.row.fault(name, says="is required", code="required"))
            return ""
        return self.may(name, check) or ""

    def may(self, name: str, check: Callable[[str], str | None]) -> str | None:
        """A cell that may say something."""
        text = self.row.cells.get(name)
        wrong = None if text is None else check(text)
        if wrong is not None:
            self.faults.append(self.row.fault(name, says=wrong, code="malformed"))
            return None
        return text

    def parts(self, family: str, longest: int) -> dict[str, str]:
        """The members of a family of columns."""
        names = [name for name in self.row.cells if name.startswith(f"{family}.")]
        found = {name.partition(".")[2]: self.may(name, _line(longest)) for name in names}
        return {name: text for name, text in found.items() if text is not None}


Read = tuple[Sequence[CustomerRow], Sequence[BalanceRow], Sequence[RowFault]]


def read_customers(content: str, form: FileFormat) -> tuple[list[CustomerRow], list[RowFault]]:
    """The customers of a file, and what is wrong with the other rows.

    Raises:
        InvalidInput: the file as a whole is none.
    """
    plain = (_REFERENCE, "email", "name", "currency", "taxId", "taxTreatment", "metadata.")
    rows = rows_of(content, form, (*plain, *(f"address.{part}" for part in _PARTS)))
    seen: dict[str, int] = {}
    good, faults = [], list[RowFault]()
    for row in rows:
        reading = _Reading(row, [*row.faults])
        customer = _customer(reading)
        first = seen.setdefault(customer.reference, row.number)
        if customer.reference and first != row.number:
            says = f"is that of row {first} already"
            reading.faults.append(row.fault(_REFERENCE, says=says, code="repeated"))
        faults += reading.faults
        if not reading.faults:
            good.append(customer)
    return good, faults


def read_balances(content: str, form: FileFormat) -> tuple[list[BalanceRow], list[RowFault]]:
    """The opening balances of a file, and what is wrong with the other rows.

    Raises:
        InvalidInput: the file as a whole is none.
    """
    rows = rows_of(content, form, (_REFERENCE, _CUSTOMER, "amountCents", "currency"))
    good, faults = [], list[RowFault]()
    for row in rows:
        reading = _Reading(row, [*row.faults])
        balance = _balance(reading)
        faults += reading.faults
        if not reading.faults:
            good.append(balance)
    return good, faults


def _customer(reading: _Reading) -> CustomerRow:
    said = reading.row.cells
    address, metadata = reading.parts("address", 200), reading.parts("metadata", 500)
    reading.may("address.country", _matching(_COUNTRY, "expected two capital letters"))
    if len(metadata) > METADATA_MAX:
        says = f"has more than {METADATA_MAX} keys"
        reading.faults.append(reading.row.fault("metadata", says=says, code="too_long"))
    code = reading.may("currency", _currency)
    treatment = reading.may("taxTreatment", _treatment)
    tax_id = reading.may("taxId", _matching(_TAX_ID, "expected letters and digits"))
    _judge_tax_id(reading, tax_id, address.get("country"))
    return CustomerRow(
        row=reading.row,
        reference=reading.needs(_REFERENCE, _line(100)),
        digest=digest_of(said),
        email=reading.needs("email", _email),
        name=reading.needs("name", _line(200)),
        currency=None if code is None else Currency(code),
        tax_id=tax_id,
        tax_treatment=TaxTreatment(treatment or TaxTreatment.TAXABLE),
        address=address or None,
        metadata=metadata,
    )


def _judge_tax_id(reading: _Reading, tax_id: str | None, country: str | None) -> None:
    try:
        require_form(tax_id, country=country)
    except InvalidInput as refused:
        (detail,) = refused.details
        reading.faults.append(
            reading.row.fault(detail.field, says=detail.message, code=detail.code)
        )


def _balance(reading: _Reading) -> BalanceRow:
    known = reading.may(_CUSTOMER, _customer_id)
    reference = reading.may(_REFERENCE, _line(100))
    if (_CUSTOMER in reading.row.cells) == (_REFERENCE in reading.row.cells):
        says = f"give either {_REFERENCE} or {_CUSTOMER}"
        reading.faults.append(reading.row.fault(_REFERENCE, says=says, code="required"))
    amount = reading.needs("amountCents", _amount)
    code = reading.may("currency", _currency)
    return BalanceRow(
        reading.row,
        reference,
        None if known is None else CustomerId(known),
        int(amount or 0),
        None if code is None else Currency(code),
    )


def digest_of(cells: Mapping[str, str]) -> bytes:
    """The same for the same row, in whatever order and form it is written."""
    return hashlib.sha256(msgspec.json.encode(sorted(cells.items()))).digest()


def _line(longest: int) -> Callable[[str], str | None]:
    def check(text: str) -> str | None:
        if len(text) > min(longest, CELL_LENGTH_MAX):
            return f"is longer than {longest} characters"
        is_line = _LINE.fullmatch(text) is not None and bool(text.strip())
        return None if is_line else "expected one line of text"

    return check


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], str | None]:
    return lambda text: None if pattern.fullmatch(text) else expected


def _email(text: str) -> str | None:
    return None if is_mailbox(text) else "expected an e-mail address"


def _currency(text: str) -> str | None:
    try:
        currency(text)
    except ValueError:
        return "expected a lower-case ISO 4217 code"
    return None


def _treatment(text: str) -> str | None:
    allowed = [each.value for each in TaxTreatment]
    return None if text in allowed else f"expected one of {', '.join(allowed)}"


def _customer_id(text: str) -> str | None:
    try:
        parse_id("cust", text=text)
    except MalformedId:
        return "expected cust_<uuid>"
    return None


def _amount(text: str) -> str | None:
    is_amount = _DIGITS.fullmatch(text) is not None and 0 < int(text) <= AMOUNT_MAX
    return None if is_amount else "expected a whole number of minor units above zero"
