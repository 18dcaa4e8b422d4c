"""Rows of payment attempts."""

from uuid import UUID

from bursar.domain.ids import InvoiceId, PaymentId, WalletId, uuid_of
from bursar.domain.payment_rows import row_to_payment
from bursar.domain.payments import Payment
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, payment_id: PaymentId) -> Payment:
    """One attempt.

    Raises:
        NotFound: no such payment in this organization.
    """
    row = await tx.fetchrow(Q.get_payment, uuid_of(tx.org_id), uuid_of(payment_id))
    if row is None:
        raise NotFound(f"No payment {payment_id}.")
    return row_to_payment(row)


async def open_attempt(tx: Tx, invoice_id: InvoiceId) -> Payment | None:
    """The one attempt through which money may still move, if any."""
    row = await tx.fetchrow(Q.open_attempt, uuid_of(tx.org_id), uuid_of(invoice_id))
    return None if row is None else row_to_payment(row)


async def attempt_of_key(tx: Tx, invoice_id: InvoiceId, attempt_key: str) -> Payment | None:
    """The newest attempt that the request with this key began."""
    row = await tx.fetchrow(Q.attempt_of_key, uuid_of(tx.org_id), uuid_of(invoice_id), attempt_key)
    return None if row is None else row_to_payment(row)


async def deposit_of_key(tx: Tx, wallet_id: WalletId, attempt_key: str) -> Payment | None:
    """The newest deposit into this wallet that the request with this key began."""
    row = await tx.fetchrow(Q.deposit_of_key, uuid_of(tx.org_id), uuid_of(wallet_id), attempt_key)
    return None if row is None else row_to_payment(row)


async def open_deposits(tx: Tx, wallet_id: WalletId) -> int:
    """How many deposits are on their way into this wallet."""
    return int(await tx.fetchval(Q.count_open_deposits, uuid_of(tx.org_id), uuid_of(wallet_id)))


async def save(tx: Tx, row: Payment) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    receipt = row.receipt
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        _uuid(row.invoice_id),
        _uuid(row.customer_id),
        row.mode.value,
        row.status.value,
        row.amount.minor,
        row.amount.currency,
        row.provider,
        row.provider_reference,
        row.session_reference,
        row.method_reference,
        row.checkout_url,
        row.next_action_url,
        row.success_url,
        row.cancel_url,
        row.failure_code,
        row.failure_message,
        row.decline_kind,
        row.attempt_key,
        row.watch_step,
        row.credited.minor,
        row.expires_at,
        row.settled_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        row.purpose.value,
        _uuid(row.wallet_id),
        None if receipt is None else receipt.method.value,
        None if receipt is None else receipt.received_at,
        None if receipt is None else receipt.reference,
        row.refunded.minor,
        row.refunding.minor,
    )
    query = Q.insert_payment if row.version == 1 else Q.update_payment
    replaced(row, await tx.execute(query, *values))


def _uuid(noun_id: str | None) -> UUID | None:
    return None if noun_id is None else uuid_of(noun_id)
