"""The part of the story in which somebody comes from elsewhere."""

from datetime import UTC, datetime
from typing import Final

from bursar.domain.ids import ImportId
from bursar.domain.import_files import FileFormat, RowFault
from bursar.domain.imports import Import, ImportKind

AT: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
IMPORT: Final = Import(
    id=ImportId("imp_0195a1b2-c3d4-7019-8000-0123456789ab"),
    kind=ImportKind.CUSTOMERS,
    format=FileFormat.CSV,
    created=2,
    unchanged=1,
    failed=1,
    faults=(RowFault(3, "email", "expected an e-mail address", "malformed"),),
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
