"""Rows of tax rates."""

from collections.abc import Collection

import msgspec

from bursar.domain.ids import CustomerId, TaxRateId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_customer
from bursar.domain.tax_rate_rows import row_to_tax_rate
from bursar.domain.tax_rates import TaxRate, automatic
from bursar.domain.taxes import TaxTerms
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, tax_rate_id: TaxRateId) -> TaxRate:
    """One rate.

    Raises:
        NotFound: no such rate in this organization.
    """
    found = await by_ids(tx, [tax_rate_id])
    if tax_rate_id not in found:
        raise NotFound(f"No tax rate {tax_rate_id}.")
    return found[tax_rate_id]


async def by_ids(tx: Tx, ids: Collection[TaxRateId]) -> dict[TaxRateId, TaxRate]:
    """Those of these rates that are here; nothing is asked when nothing is named."""
    if not ids:
        return {}
    rows = await tx.fetch(Q.tax_rates_by_ids, uuid_of(tx.org_id), [uuid_of(each) for each in ids])
    return {rate.id: rate for rate in map(row_to_tax_rate, rows)}


async def automatic_terms(
    tx: Tx, customer_ids: Collection[CustomerId]
) -> dict[CustomerId, tuple[TaxTerms, ...]]:
    """What lies on lines that are billed to customers by themselves."""
    rates = [*map(row_to_tax_rate, await tx.fetch(Q.automatic_rates, uuid_of(tx.org_id)))]
    if not rates:
        return dict.fromkeys(customer_ids, ())
    keys = [uuid_of(each) for each in customer_ids]
    rows = await tx.fetch(Q.taxed_customers, uuid_of(tx.org_id), keys)
    return {customer.id: automatic(rates, customer) for customer in map(row_to_customer, rows)}


async def save(tx: Tx, row: TaxRate) -> None:
    """Insert version 1, or replace the version before: a rate is archived, never changed.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    key = uuid_of(tx.org_id), uuid_of(row.id)
    state = row.status.value, row.archived_at, row.version, row.sequence, row.updated_at
    if row.version > 1:
        replaced(row, await tx.execute(Q.update_tax_rate, *key, *state))
        return
    terms = (
        row.name,
        row.rate.percent,
        row.is_inclusive,
        row.category.value,
        row.country,
        row.note,
        row.is_automatic,
        msgspec.json.encode(row.metadata).decode(),
        row.created_at,
    )
    replaced(row, await tx.execute(Q.insert_tax_rate, *key, *state, *terms))
