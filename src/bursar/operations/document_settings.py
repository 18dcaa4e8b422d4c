"""How an organization's documents and mail look."""

from collections.abc import Mapping

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.document_settings import DocumentSettings
from bursar.domain.refusals import PreconditionFailed
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import document_settings
from bursar.store.apply import apply


class UpdateDocumentSettings(Struct, frozen=True):
    """Settings to change, by field name of `DocumentSettings`."""

    changes: Mapping[str, object]
    expected_version: int | None = None


@operation(requires=Permission.ORG_WRITE)
async def update_document_settings(tx: Tx, command: UpdateDocumentSettings) -> DocumentSettings:
    """Change settings; what is the same stays untold.

    Raises:
        PreconditionFailed: another version than the expected one.
    """
    settings = await document_settings.get(tx)
    if command.expected_version not in {None, settings.version}:
        raise PreconditionFailed(f"{settings.id} is at version {settings.version}.")
    change = settings.edit(command.changes)
    if change is None:
        return settings
    written = (await apply(tx, change))[settings.id]
    assert isinstance(written, DocumentSettings)
    return written
