"""Files as somebody else wrote them: CSV or JSON Lines become rows of named texts.

Nested members stand as `address.city` in both forms, as exports write them. What is wrong with the
file as a whole is a refusal; what is wrong with a row is for `imports` to say.
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from bursar.domain.refusals import InvalidInput

ROWS_MAX: Final = 1000
CELL_LENGTH_MAX: Final = 2000
_BOM: Final = "\ufeff"
# What exports put before a text that a spreadsheet would work out.
_GUARDED: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")


class FileFormat(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSONL = "jsonl"


class RowFault(Struct, frozen=True):
    """What is wrong with one field of one row; rows are counted from one, without the head."""

    row: int
    field: str
    message: str
    code: str


class FileRow(Struct, frozen=True):
    """One row: what each column says, without those that say nothing."""

    number: int
    cells: Mapping[str, str]
    faults: tuple[RowFault, ...] = field(default=())

    def fault(self, place: str, *, says: str, code: str) -> RowFault:
        """Something is wrong with one of its fields."""
        return RowFault(self.number, place, says, code)


def rows_of(content: str, form: FileFormat, columns: Collection[str]) -> list[FileRow]:
    """The rows of a file; a column that ends in `.` stands for all that begin so.

    Raises:
        InvalidInput: no rows, too many, or a column that nobody knows.
    """
    text = content.removeprefix(_BOM)
    rows = [*(_table(text, columns) if form is FileFormat.CSV else _lines(text, columns))]
    if not rows:
        raise InvalidInput.at("content", "has no rows", "empty")
    return rows


def _table(text: str, columns: Collection[str]) -> Iterator[FileRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [each.strip() for each in next(reader, [])]
        _require_columns(head, columns)
        for number, cells in enumerate((each for each in reader if any(each)), 1):
            _require_room(number)
            yield _row_of(number, head, cells)
    except csv.Error as failed:
        raise InvalidInput.at("content", f"is not CSV: {failed}", "malformed") from failed


def _row_of(number: int, head: list[str], cells: list[str]) -> FileRow:
    said = {name: _plain(cell) for name, cell in zip(head, cells, strict=False) if cell.strip()}
    if len(cells) > len(head):
        fault = RowFault(number, "", f"has {len(cells)} cells, the head {len(head)}", "malformed")
        return FileRow(number, said, (fault,))
    return FileRow(number, said)


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARDED) else cell


def _lines(text: str, columns: Collection[str]) -> Iterator[FileRow]:
    for number, line in enumerate((each for each in text.split("\n") if each.strip()), 1):
        _require_room(number)
        try:
            found = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.MsgspecError:
            fault = RowFault(number, "", "is not a JSON object", "malformed")
            yield FileRow(number, {}, (fault,))
            continue
        flat = dict(_flat(found))
        yield FileRow(
            number,
            {name: str(value) for name, value in flat.items() if _is_said(value)},
            tuple(_misfits(number, flat, columns)),
        )


def _flat(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict) and not prefix:
            yield from _flat(value, f"{name}.")
        else:
            yield f"{prefix}{name}", value


def _is_said(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _misfits(number: int, flat: Mapping[str, Any], columns: Collection[str]) -> Iterator[RowFault]:
    for name, value in flat.items():
        if not _is_known(name, columns):
            yield RowFault(number, name, f"is no column{_meant(name, columns)}", "unknown_column")
        elif value is not None and value != "" and not _is_said(value):
            yield RowFault(number, name, "expected text or a whole number", "type")


def _require_columns(head: list[str], columns: Collection[str]) -> None:
    for place, name in enumerate(head, 1):
        if not _is_known(name, columns):
            # Not by its name: a file without a head begins with somebody's data.
            says = f"column {place} is not known{_meant(name, columns)}"
            raise InvalidInput.at("content", says, "unknown_column")
    if len(set(head)) < len(head):
        raise InvalidInput.at("content", "names a column twice", "repeated")


def _is_known(name: str, columns: Collection[str]) -> bool:
    family, dot, member = name.partition(".")
    return name in columns or bool(member and f"{family}{dot}" in columns)


def _meant(name: str, columns: Collection[str]) -> str:
    near = get_close_matches(name, columns, 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _require_room(number: int) -> None:
    if number > ROWS_MAX:
        raise InvalidInput.at("content", f"has more than {ROWS_MAX} rows", "too_long")


def parted(content: str, form: FileFormat, size: int) -> list[str]:
    """The file in files of at most so many rows, each with the head.

    Raises:
        InvalidInput: it cannot be read.
    """
    text = content.removeprefix(_BOM)
    if form is FileFormat.JSONL:
        lines = [each for each in text.split("\n") if each.strip()]
        return ["\n".join(lines[at : at + size]) for at in range(0, len(lines), size)]
    try:
        head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as failed:
        raise InvalidInput.at("content", f"is not CSV: {failed}", "malformed") from failed
    rows = [each for each in rows if any(each)]
    return [_written([head, *rows[at : at + size]]) for at in range(0, len(rows), size)]


def _written(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
