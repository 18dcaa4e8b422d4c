"""What the database keeps of an import becomes that noun again."""

import msgspec

from bursar.domain import ids
from bursar.domain.import_files import FileFormat, RowFault
from bursar.domain.imports import Import, ImportKind
from bursar.domain.rows import Record


def row_to_import(record: Record) -> Import:
    """From every column of `imports`."""
    return Import(
        id=ids.ImportId(ids.print_id("imp", record["id"])),
        kind=ImportKind(record["kind"]),
        format=FileFormat(record["format"]),
        created=record["created"],
        unchanged=record["unchanged"],
        failed=record["failed"],
        faults=msgspec.json.decode(record["faults"], type=tuple[RowFault, ...]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
