"""What a command prints: data on stdout in one of four formats, words on stderr.

A table is for people and only chosen by itself on a terminal; elsewhere it is JSON. CSV cells that
a spreadsheet would take for a formula are quoted with an apostrophe.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bursar.domain.currencies import Currency
from bursar.domain.money import Money
from bursar.domain.wording import ENGLISH

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_CENTS: Final = "Cents"
_FILE_WIDTH: Final = 1_000

Record = Mapping[str, Any]


class Format(StrEnum):
    """How data is written."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


Output = Annotated[
    Format | None,
    typer.Option("--format", help="How to write it; a table on a terminal, else JSON."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No words, only data.")]


def say(words: str, *, is_quiet: bool = False) -> None:
    """A line for people; it never mixes with data."""
    if not is_quiet:
        print(words, file=sys.stderr, flush=True)


def plain(shape: object) -> Record:
    """A shape as the wire spells it."""
    record: Record = msgspec.json.decode(msgspec.json.encode(shape))
    return record


def show_list(
    shapes: Sequence[object], columns: Sequence[str], chosen: Format | None = None
) -> None:
    """Many things; a table shows the columns, every other format shows everything."""
    records = [plain(shape) for shape in shapes]
    match _format(chosen):
        case Format.TABLE:
            _table(records, columns)
        case Format.JSON:
            _write(msgspec.json.format(msgspec.json.encode(records), indent=2))
        case Format.JSONL:
            for record in records:
                _write(msgspec.json.encode(record))
        case Format.CSV:
            _csv(records, columns)


def show_one(shape: object, chosen: Format | None = None) -> None:
    """One thing, whole."""
    record = plain(shape)
    match _format(chosen):
        case Format.TABLE:
            rows = [{"field": name, "value": _cell(record, name)} for name in record]
            _table(rows, ("field", "value"))
        case Format.JSON:
            _write(msgspec.json.format(msgspec.json.encode(record), indent=2))
        case Format.JSONL:
            _write(msgspec.json.encode(record))
        case Format.CSV:
            _csv([record], tuple(record))


def as_table(chosen: Format | None) -> bool:
    """Whether this is going to be a table."""
    return _format(chosen) is Format.TABLE


def is_flat(chosen: Format | None) -> bool:
    """Whether each of its lines is one row of values, with nothing inside them."""
    return _format(chosen) in {Format.TABLE, Format.CSV}


def _format(chosen: Format | None) -> Format:
    if chosen is not None:
        return chosen
    return Format.TABLE if sys.stdout.isatty() else Format.JSON


def _table(records: Sequence[Record], columns: Sequence[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        is_number = name.endswith(_CENTS)
        table.add_column(_heading(name), justify="right" if is_number else "left", overflow="fold")
    for record in records:
        table.add_row(*(_cell(record, name) for name in columns))
    # Rich follows NO_COLOR and a terminal's width by itself; a file has no width.
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False, width=width)
    console.print(table)


def _heading(name: str) -> str:
    bare = name.removesuffix(_CENTS)
    return "".join(f" {each.lower()}" if each.isupper() else each for each in bare)


def _cell(record: Record, name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if name.endswith(_CENTS) and isinstance(value, int) and record.get("currency"):
        return ENGLISH.money(Money(value, Currency(record["currency"])))
    if isinstance(value, str):
        return _printable(value)
    return _printable(msgspec.json.encode(value).decode())


def _printable(text: str) -> str:
    """Nothing in somebody's data steers the terminal."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


def _csv(records: Sequence[Record], columns: Sequence[str]) -> None:
    names = list(dict.fromkeys((*columns, *(name for record in records for name in record))))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for record in records:
        writer.writerow([_csv_cell(record.get(name)) for name in names])
    sys.stdout.flush()


def _csv_cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA_STARTS) else value
    if value is None or isinstance(value, int | float):
        return value
    return msgspec.json.encode(value).decode()


def _write(line: bytes) -> None:
    sys.stdout.write(line.decode() + "\n")
    sys.stdout.flush()
