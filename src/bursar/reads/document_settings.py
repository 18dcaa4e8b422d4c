"""Looks at how an organization's documents and mail look."""

from bursar.domain.access import Permission
from bursar.domain.document_settings import DocumentSettings, settings_unsaid
from bursar.domain.document_settings_rows import row_to_document_settings
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.ORG_READ)
async def document_settings(tx: ReadTx) -> DocumentSettings:
    """Those of the bound organization; of one that has said nothing, everybody's."""
    row = await tx.fetchrow(Q.document_settings, uuid_of(tx.org_id))
    return settings_unsaid(tx.org_id, tx.now) if row is None else row_to_document_settings(row)
