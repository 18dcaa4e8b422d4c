"""Looks behind what an invoice charges for usage: which events were in it."""

from collections.abc import Mapping
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId, InvoiceLineId, UsageEventId, print_id, uuid_of
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)

SAMPLED_MAX: Final = 20


@query(requires=Permission.INVOICE_READ)
async def usage_behind(
    tx: ReadTx, invoice_id: InvoiceId
) -> Mapping[InvoiceLineId, tuple[UsageEventId, ...]]:
    """The first events of each line for usage, as they happened; what came late is not there."""
    key = uuid_of(tx.org_id), uuid_of(invoice_id)
    return {
        InvoiceLineId(print_id("il", row["id"])): tuple(
            UsageEventId(print_id("ue", each)) for each in row["event_ids"]
        )
        for row in await tx.fetch(Q.usage_behind, *key, SAMPLED_MAX)
    }
