"""`/v1/exports`: what there is, as a table for people or as lines for programs."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from bursar.api.fields import Query
from bursar.api.paging import Cursor, cursors_of
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.domain.paging import SIZE_MAX, Found, Page, Paged
from bursar.domain.shapes.customers import CustomerOut
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.domain.shapes.payments import PaymentOut
from bursar.reads.customers import CustomerFilters, customers
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.reads.payments import PaymentFilters, payments
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Exports",
    prefix="/v1/exports",
    about="Everything of a kind, newest first, as CSV or JSON Lines; a thousand at a time.",
)

ROWS_MAX: Final = 1000
CSV: Final = "text/csv"
_JSONL: Final = "application/jsonl"
# A spreadsheet would work out what begins like this instead of showing it.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_LINES: Final = "lines"

Record = dict[str, Any]


class ExportQuery(Query, frozen=True):
    """How to write it, and where to go on: `X-Next-Cursor` of the answer before says so."""

    format: Literal["csv", "jsonl"] = "csv"
    limit: Annotated[int, Meta(ge=1, le=ROWS_MAX)] = ROWS_MAX
    cursor: Cursor | None = None


class Piece(Struct, frozen=True):
    """Some records, and the row after which there are more."""

    records: Sequence[Record]
    next_row: str | None


def _exporting(needs: Permission) -> Terms:
    return Terms(needs=needs, media=CSV, or_media=_JSONL, query=ExportQuery, weight=10)


@ROOM.get("/invoices", _exporting(Permission.INVOICE_READ))
async def export_invoices(call: Call[None, ExportQuery]) -> Answer:
    """Export invoices without their lines.

    Nested fields stand as `address.city`; a text that a spreadsheet would take for a formula begins
    with an apostrophe.
    """
    found = await _gathered(call, _invoices(call.caller), InvoiceOut.of)
    bare = [{name: each[name] for name in each if name != _LINES} for each in found.records]
    return _answer(call, Piece(bare, found.next_row))


@ROOM.get("/invoice-lines", _exporting(Permission.INVOICE_READ))
async def export_invoice_lines(call: Call[None, ExportQuery]) -> Answer:
    """Export the lines of invoices, each with its invoice; `limit` counts invoices."""
    found = await _gathered(call, _invoices(call.caller), InvoiceOut.of)
    lines = [
        {
            "invoiceId": each["id"],
            "invoiceNumber": each["invoiceNumber"],
            "currency": each["currency"],
            **line,
        }
        for each in found.records
        for line in each[_LINES]
    ]
    return _answer(call, Piece(lines, found.next_row))


@ROOM.get("/payments", _exporting(Permission.PAYMENT_READ))
async def export_payments(call: Call[None, ExportQuery]) -> Answer:
    """Export payments."""

    async def look(page: Page) -> Paged[Any]:
        return await call.caller.look(payments, page, PaymentFilters())

    return _answer(call, await _gathered(call, look, PaymentOut.of))


@ROOM.get("/customers", _exporting(Permission.CUSTOMER_READ))
async def export_customers(call: Call[None, ExportQuery]) -> Answer:
    """Export customers."""

    async def look(page: Page) -> Paged[Any]:
        return await call.caller.look(customers, page, CustomerFilters())

    return _answer(call, await _gathered(call, look, CustomerOut.of))


def _invoices(caller: Caller) -> Callable[[Page], Awaitable[Paged[Any]]]:
    async def look(page: Page) -> Paged[Any]:
        return await caller.look(invoices, page, InvoiceFilters())

    return look


async def _gathered(
    call: Call[None, ExportQuery],
    look: Callable[[Page], Awaitable[Paged[Found]]],
    shape: Callable[[Found], msgspec.Struct],
) -> Piece:
    """Page after page, up to the limit."""
    query, found = call.query, list[Record]()
    after = None if query.cursor is None else cursors_of(call.caller).read(query.cursor)
    while True:
        size = min(query.limit - len(found), SIZE_MAX)
        shown = await look(Page(size=size, is_cursor=True, after=after))
        found += [msgspec.to_builtins(shape(item)) for item in shown.items]
        row = shown.next_cursor
        if row is None or len(found) >= query.limit:
            return Piece(found, row)
        after = uuid_of(row)


def _answer(call: Call[None, ExportQuery], piece: Piece) -> Answer:
    is_table = call.query.format == "csv"
    body = csv_of(piece.records) if is_table else jsonl_of(piece.records)
    headers = [("Content-Type", f"{CSV}; charset=utf-8" if is_table else _JSONL)]
    if piece.next_row is not None:
        cursor = cursors_of(call.caller).write(uuid_of(piece.next_row))
        headers.append(("X-Next-Cursor", cursor))
    return Answer(200, body, tuple(headers))


def jsonl_of(records: Iterable[Record]) -> bytes:
    """One object a line."""
    return b"".join(msgspec.json.encode(record) + b"\n" for record in records)


def csv_of(records: Iterable[Record]) -> bytes:
    """A table whose head is every field that any of the records has."""
    rows = [_flat(record) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return text.getvalue().encode()


def _flat(record: Record, prefix: str = "") -> Record:
    flat: Record = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _cell(value: object) -> object:
    if isinstance(value, list | tuple):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
