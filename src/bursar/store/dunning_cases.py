"""Rows of invoices in dunning."""

import msgspec

from bursar.domain.dunning import DunningCase
from bursar.domain.dunning_rows import row_to_dunning_case
from bursar.domain.ids import CustomerId, InvoiceId, SubscriptionId, uuid_of
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def of_invoice(tx: Tx, invoice_id: InvoiceId) -> DunningCase | None:
    """The invoice's case, open or over, if there ever was one."""
    row = await tx.fetchrow(Q.case_of_invoice, uuid_of(tx.org_id), uuid_of(invoice_id))
    return None if row is None else row_to_dunning_case(row)


async def get(tx: Tx, invoice_id: InvoiceId) -> DunningCase:
    """The invoice's case, open or over.

    Raises:
        NotFound: there never was one.
    """
    found = await of_invoice(tx, invoice_id)
    if found is None:
        raise NotFound(f"No dunning of invoice {invoice_id}.")
    return found


async def open_of_customer(tx: Tx, customer_id: CustomerId) -> list[DunningCase]:
    """The open cases of a customer."""
    rows = await tx.fetch(Q.open_of_customer, uuid_of(tx.org_id), uuid_of(customer_id))
    return [*map(row_to_dunning_case, rows)]


async def count_open(tx: Tx, subscription_id: SubscriptionId) -> int:
    """How many open cases a subscription has."""
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    return int(await tx.fetchval(Q.count_open_of_subscription, *key))


async def put_to_rest(tx: Tx, subscription_id: SubscriptionId, paused_at: Instant) -> bool:
    """Whether it was dunning, open or over, that paused a subscription then."""
    key = uuid_of(tx.org_id), uuid_of(subscription_id)
    return bool(await tx.fetchval(Q.was_put_to_rest, *key, paused_at))


async def save(tx: Tx, row: DunningCase) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    subscription_id, resolution = row.subscription_id, row.resolution
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.invoice_id),
        uuid_of(row.customer_id),
        None if subscription_id is None else uuid_of(subscription_id),
        msgspec.json.encode(row.policy).decode(),
        row.step,
        row.retry_count,
        row.current_action.value,
        row.next_at,
        None if row.decline_kind is None else row.decline_kind.value,
        row.decline_code,
        row.blocked_method,
        row.rested_at,
        row.paused_at,
        row.pause_reason,
        row.resolved_at,
        None if resolution is None else resolution.value,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_case if row.version == 1 else Q.update_case
    replaced(row, await tx.execute(query, *values))
