"""Rows of refunds."""

from bursar.domain.ids import PaymentId, RefundId, uuid_of
from bursar.domain.money import Money
from bursar.domain.payments import Payment
from bursar.domain.refund_rows import row_to_refund
from bursar.domain.refunds import Refund
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, refund_id: RefundId) -> Refund:
    """One refund.

    Raises:
        NotFound: no such refund in this organization.
    """
    row = await tx.fetchrow(Q.get_refund, uuid_of(tx.org_id), uuid_of(refund_id))
    if row is None:
        raise NotFound(f"No refund {refund_id}.")
    return row_to_refund(row)


async def refund_of_key(tx: Tx, payment_id: PaymentId, attempt_key: str) -> Refund | None:
    """The refund that the request with this key began."""
    row = await tx.fetchrow(Q.refund_of_key, uuid_of(tx.org_id), uuid_of(payment_id), attempt_key)
    return None if row is None else row_to_refund(row)


async def credit_taken(tx: Tx, payment: Payment) -> Money:
    """What refunds of a payment have taken from the customer's credit."""
    taken = await tx.fetchval(Q.credit_taken, uuid_of(tx.org_id), uuid_of(payment.id))
    return Money(int(taken), payment.amount.currency)


async def save(tx: Tx, row: Refund) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.payment_id),
        None if row.invoice_id is None else uuid_of(row.invoice_id),
        None if row.customer_id is None else uuid_of(row.customer_id),
        row.status.value,
        row.amount.minor,
        row.amount.currency,
        row.reason,
        row.provider,
        row.provider_reference,
        row.failure_code,
        row.failure_message,
        row.attempt_key,
        row.watch_step,
        row.settled_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        row.credit.minor,
    )
    query = Q.insert_refund if row.version == 1 else Q.update_refund
    replaced(row, await tx.execute(query, *values))
