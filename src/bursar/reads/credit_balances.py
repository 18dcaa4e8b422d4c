"""Looks at what customers have to their credit."""

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.customers import CreditBalance
from bursar.domain.ids import CustomerId, uuid_of
from bursar.domain.money import Money
from bursar.domain.refusals import NotFound
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.CUSTOMER_READ)
async def credit_balance(tx: ReadTx, customer_id: CustomerId) -> CreditBalance:
    """The balance, nothing if there never was any.

    Raises:
        NotFound: no such customer in this organization, or a deleted one.
    """
    row = await tx.fetchrow(
        Q.credit_of_customer, uuid_of(tx.org_id), uuid_of(customer_id), f"credit:{customer_id}"
    )
    if row is None:
        raise NotFound(f"No customer {customer_id}.")
    held = Money(row["balance_minor"], Currency(row["currency"]))
    return CreditBalance(customer_id, held)
