"""Rows of customers, and the lock that every money verb takes first."""

from collections.abc import Collection
from typing import Final

import asyncpg.exceptions as pg
import msgspec
from msgspec import Struct

from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer, Erasure, TaxTreatment
from bursar.domain.ids import (
    CustomerId,
    InvoiceId,
    PaymentId,
    RecurringInvoiceId,
    RefundId,
    SubscriptionId,
    WalletId,
    print_id,
    uuid_of,
)
from bursar.domain.refusals import NotFound
from bursar.domain.rows import Record, row_to_customer
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)

_THROUGH: Final = {
    "inv": Q.lock_through_invoice,
    "rinv": Q.lock_through_recurring_invoice,
    "pay": Q.lock_through_payment,
    "rfd": Q.lock_through_refund,
    "wal": Q.lock_through_wallet,
    "sub": Q.lock_through_subscription,
}

_ALWAYS_A_CUSTOMERS: Final = {
    "inv": "invoice",
    "rinv": "recurring invoice",
    "sub": "subscription",
}


class Buyer(Struct, frozen=True):
    """What a new document takes from its customer, and the mark of the row that said so."""

    id: CustomerId
    currency: Currency
    tax_treatment: TaxTreatment
    mark: str


async def lock(tx: Tx, customer_id: CustomerId, *, even_deleted: bool = False) -> Customer:
    """Lock a customer; from here on the verb is alone with their affairs.

    Raises:
        NotFound: no such customer in this organization, or a deleted one (unless asked for).
    """
    row = await tx.fetchrow(Q.lock_customer, uuid_of(tx.org_id), uuid_of(customer_id))
    if row is None or (row["deleted_at"] is not None and not even_deleted):
        raise NotFound(f"No customer {customer_id}.")
    return row_to_customer(row)


async def buyers(tx: Tx, customer_ids: Collection[CustomerId]) -> dict[CustomerId, Buyer]:
    """Customers as they were when somebody here last read them; who is missing is not there.

    For verbs that add to a customer's affairs without looking at them. Nobody is locked: whoever
    writes by this asks for the marks as well, and calls `have_changed` where one does not hold.
    """
    known = {each: tx.known_rows.get((tx.org_id, each)) for each in customer_ids}
    unknown = [uuid_of(each) for each, buyer in known.items() if buyer is None]
    if unknown:
        for row in await tx.fetch(Q.get_buyers, uuid_of(tx.org_id), unknown):
            buyer = _row_to_buyer(row)
            known[buyer.id] = buyer
            tx.known_rows.put((tx.org_id, buyer.id), buyer)
    return {each: buyer for each, buyer in known.items() if buyer is not None}


def have_changed(tx: Tx, taken: Collection[Buyer]) -> Exception:
    """What to raise when one of them is not who was read: all is decided again, by who they are."""
    tx.known_rows.forget((tx.org_id, buyer.id) for buyer in taken)
    return pg.SerializationError("a customer was changed in the meantime")


async def lock_through(
    tx: Tx,
    child_id: InvoiceId | RecurringInvoiceId | PaymentId | RefundId | WalletId | SubscriptionId,
) -> None:
    """Lock the customer of an invoice or a template, a payment, a refund, a wallet or the like.

    A wallet that is no customer's, and a deposit into it, lock nobody: that wallet is the lock.

    Raises:
        NotFound: no such invoice, template or subscription in this organization.
    """
    noun = child_id.partition("_")[0]
    locked = await tx.fetchval(_THROUGH[noun], uuid_of(tx.org_id), uuid_of(child_id))
    if locked is None and noun in _ALWAYS_A_CUSTOMERS:
        raise NotFound(f"No {_ALWAYS_A_CUSTOMERS[noun]} {child_id}.")


async def lock_through_many(tx: Tx, invoice_ids: Collection[InvoiceId]) -> None:
    """Lock the customers of these invoices, in the order in which everybody locks several."""
    await tx.fetch(Q.lock_through_invoices, uuid_of(tx.org_id), [*map(uuid_of, invoice_ids)])


async def open_invoices(tx: Tx, customer_id: CustomerId) -> int:
    """How many drafts and open invoices the customer has."""
    return int(await tx.fetchval(Q.count_open_invoices, uuid_of(tx.org_id), uuid_of(customer_id)))


async def forget(tx: Tx, customer_id: CustomerId, erased_at: Instant) -> Erasure:
    """Take out what log, documents, mails, imports and endpoints say of an erased customer."""
    key = uuid_of(customer_id)
    await tx.execute(Q.forget_reference, uuid_of(tx.org_id), key)
    await tx.execute(Q.forget_former_buyer, uuid_of(tx.org_id), key)
    row = await tx.fetchrow(Q.forget_customer, key)
    assert row is not None, "a function always answers"
    documents = await tx.fetchval(Q.count_documents, uuid_of(tx.org_id), key)
    return Erasure(customer_id, erased_at, row["events"], row["mails"], row["answers"], documents)


async def save(tx: Tx, row: Customer) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.email,
        row.name,
        row.currency,
        row.tax_id,
        None if row.address is None else msgspec.json.encode(row.address).decode(),
        msgspec.json.encode(row.metadata).decode(),
        row.provider_reference,
        row.method_reference,
        row.deleted_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
        row.tax_treatment.value,
        row.erased_at,
        None if row.method_id is None else uuid_of(row.method_id),
    )
    query = Q.insert_customer if row.version == 1 else Q.update_customer
    replaced(row, await tx.execute(query, *values))


def _row_to_buyer(row: Record) -> Buyer:
    return Buyer(
        id=CustomerId(print_id("cust", row["id"])),
        currency=Currency(row["currency"]),
        tax_treatment=TaxTreatment(row["tax_treatment"]),
        mark=row["mark"],
    )
