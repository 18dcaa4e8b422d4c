"""Rows of document settings: one for each organization that has said any."""

import msgspec

from bursar.domain.document_settings import DocumentSettings, settings_unsaid
from bursar.domain.document_settings_rows import row_to_document_settings
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx) -> DocumentSettings:
    """Those of the bound organization; of one that has said nothing, everybody's."""
    row = await tx.fetchrow(Q.get_document_settings, uuid_of(tx.org_id))
    return settings_unsaid(tx.org_id, tx.now) if row is None else row_to_document_settings(row)


async def save(tx: Tx, row: DocumentSettings) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.language.value,
        row.paper.value,
        None if row.address is None else msgspec.json.encode(row.address).decode(),
        row.tax_id,
        row.footer,
        row.reply_to,
        row.iban,
        row.bic,
        row.logo,
        row.sends_mail,
        row.sends_receipts,
        row.sends_failures,
        list(row.reminder_days),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_document_settings if row.version == 1 else Q.update_document_settings
    replaced(row, await tx.execute(query, *values))
