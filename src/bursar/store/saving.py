"""What every save has in common: a row replaces exactly the version before it; many go as one."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from bursar.domain.events import Row
from bursar.domain.refusals import StaleVersion


def replaced(row: Row, touched: int) -> None:
    """Check that the statement found the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    if touched != 1:
        raise StaleVersion(f"{row.id} was changed by somebody else; read it again.")


class Kept(Struct, omit_defaults=True):
    """A row as `recordset` writes it. What is None by default is left out, and read as NULL."""


def recordset(rows: Iterable[Kept]) -> str:
    """Rows as one JSON text, for `jsonb_to_recordset`: many go as one value.

    The driver takes far longer over arrays, of which it looks at each element by itself; and
    `json_to_recordset` reads a document inside a row three times, where this one reads it once.
    """
    return msgspec.json.encode([*rows]).decode()


def nested(document: bytes | None) -> msgspec.Raw | None:
    """A JSON document as it stands inside such a row."""
    return None if document is None else msgspec.Raw(document)


def plain(values: Iterable[object]) -> str:
    """An array as PostgreSQL reads it from text, of values that need no quotes: ids and numbers.

    The driver asks of each element of a list what it is, several times; of a text it asks nothing.
    """
    return f"{{{','.join(map(str, values))}}}"


def quoted(values: Iterable[str | None]) -> str:
    """The same of any texts, and of None."""
    return f"{{{','.join(map(_quoted, values))}}}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
