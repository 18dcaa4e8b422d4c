"""An import as the world sees it: what came of each row."""

from typing import Literal

from bursar.domain.import_files import FileFormat, RowFault
from bursar.domain.imports import Import, ImportKind
from bursar.domain.shapes.fields import Shape, WireInstant
from bursar.domain.times import wire_instant


class RowFaultOut(Shape, frozen=True, kw_only=True):
    """What is wrong with a field of a row; rows are counted from one, without the head."""

    row: int
    field: str
    message: str
    code: str

    @classmethod
    def of(cls, fault: RowFault) -> "RowFaultOut":
        """The fault's shape."""
        return cls(row=fault.row, field=fault.field, message=fault.message, code=fault.code)


class ImportOut(Shape, frozen=True, kw_only=True):
    """What came of one file. `faults` names the first hundred; the rows they name made nothing."""

    id: str
    object: Literal["import"] = "import"
    kind: ImportKind
    format: FileFormat
    created_count: int
    unchanged_count: int
    failed_count: int
    faults: tuple[RowFaultOut, ...]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, done: Import) -> "ImportOut":
        """The import's shape."""
        return cls(
            id=done.id,
            kind=done.kind,
            format=done.format,
            created_count=done.created,
            unchanged_count=done.unchanged,
            failed_count=done.failed,
            faults=tuple(map(RowFaultOut.of, done.faults)),
            version=done.version,
            created_at=wire_instant(done.created_at),
            updated_at=wire_instant(done.updated_at),
        )
