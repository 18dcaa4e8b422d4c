"""Rows of plans, and the versions of their prices, which are only ever added."""

import msgspec

from bursar.domain.catalog import Plan
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, PlanId, uuid_of
from bursar.domain.plan_rows import row_to_plan
from bursar.domain.pricing import PriceTerms
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, plan_id: PlanId) -> Plan:
    """One plan with the prices of its current version.

    Raises:
        NotFound: no such plan in this organization.
    """
    key = uuid_of(tx.org_id), uuid_of(plan_id)
    row = await tx.fetchrow(Q.get_plan, *key)
    if row is None:
        raise NotFound(f"No plan {plan_id}.")
    return row_to_plan(row, await tx.fetch(Q.get_prices, *key, row["price_version"]))


async def get_version(tx: Tx, plan_id: PlanId, number: int) -> Plan:
    """One plan with the prices of a version that somebody agreed to."""
    key = uuid_of(tx.org_id), uuid_of(plan_id)
    row = await tx.fetchrow(Q.get_plan, *key)
    assert row is not None, "a plan is never deleted"
    found = row_to_plan(row, await tx.fetch(Q.get_prices, *key, number))
    return replace(found, price_version=number)


async def known_meters(tx: Tx, meter_ids: list[MeterId]) -> set[MeterId]:
    """Which of these meters exist here."""
    keys = {uuid_of(meter_id): meter_id for meter_id in meter_ids}
    rows = await tx.fetch(Q.known_meters, uuid_of(tx.org_id), list(keys))
    return {keys[row["id"]] for row in rows}


async def save(tx: Tx, row: Plan) -> None:
    """Insert version 1, or replace the version before; a new version of prices is added.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.name,
        row.description,
        row.status.value,
        row.currency,
        row.interval.value,
        row.trial_days,
        row.price_version,
        msgspec.json.encode(row.metadata).decode(),
        row.archived_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_plan if row.version == 1 else Q.update_plan
    replaced(row, await tx.execute(query, *values))
    key = uuid_of(tx.org_id), uuid_of(row.id), row.price_version
    if await tx.execute(Q.insert_version, *key, tx.now):
        await _add_prices(tx, row)


async def _add_prices(tx: Tx, row: Plan) -> None:
    prices = [(price, price.terms) for price in row.prices]
    await tx.execute(
        Q.insert_prices,
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.price_version,
        [uuid_of(price.id) for price, _ in prices],
        [terms.name for _, terms in prices],
        [None if terms.meter_id is None else uuid_of(terms.meter_id) for _, terms in prices],
        [terms.model.value for _, terms in prices],
        [terms.interval.value for _, terms in prices],
        [terms.unit_amount for _, terms in prices],
        [terms.package_size for _, terms in prices],
        [_tiers(terms) for _, terms in prices],
    )


def _tiers(terms: PriceTerms) -> str:
    return msgspec.json.encode(terms.tiers).decode()
