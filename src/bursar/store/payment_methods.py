"""Rows of payment methods."""

from bursar.domain.customers import Customer
from bursar.domain.ids import (
    CustomerId,
    MalformedId,
    PaymentMethodId,
    parse_id,
    print_id,
    uuid_of,
)
from bursar.domain.payment_method_rows import row_to_payment_method
from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, method_id: PaymentMethodId) -> PaymentMethod:
    """One method, detached or not.

    Raises:
        NotFound: no such method in this organization.
    """
    row = await tx.fetchrow(Q.payment_method, uuid_of(tx.org_id), uuid_of(method_id))
    if row is None:
        raise NotFound(f"No payment method {method_id}.")
    return row_to_payment_method(row)


async def of_reference(tx: Tx, *, provider: str, reference: str) -> PaymentMethod | None:
    """The attached method that a provider calls this, if we keep it."""
    row = await tx.fetchrow(Q.payment_method_of_reference, uuid_of(tx.org_id), provider, reference)
    return None if row is None else row_to_payment_method(row)


async def of_customer(tx: Tx, customer_id: CustomerId) -> list[PaymentMethod]:
    """Every method a customer ever had; the customer is locked."""
    rows = await tx.fetch(Q.payment_methods_of, uuid_of(tx.org_id), uuid_of(customer_id))
    return [*map(row_to_payment_method, rows)]


async def chosen(tx: Tx, customer: Customer | None, named: str | None) -> str | None:
    """What the provider calls the method to charge: the named one, else the customer's default.

    A method is named by our id, or by the provider's own.

    Raises:
        InvalidInput: it is ours, and not an attached method of this customer.
    """
    if named is None:
        return None if customer is None else customer.method_reference
    try:
        method_id = PaymentMethodId(print_id("pm", parse_id("pm", text=named)))
    except MalformedId:
        return named
    row = await tx.fetchrow(Q.payment_method, uuid_of(tx.org_id), uuid_of(method_id))
    method = None if row is None else row_to_payment_method(row)
    is_theirs = method is not None and customer is not None and method.customer_id == customer.id
    if method is None or not is_theirs or method.detached_at is not None:
        raise InvalidInput.at("paymentMethodId", "is no payment method of this customer")
    return method.provider_reference


async def save(tx: Tx, row: PaymentMethod) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.customer_id),
        row.provider,
        row.provider_reference,
        row.face.kind,
        row.face.brand,
        row.face.last4,
        row.face.exp_month,
        row.face.exp_year,
        row.detached_at,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_payment_method if row.version == 1 else Q.update_payment_method
    replaced(row, await tx.execute(query, *values))
