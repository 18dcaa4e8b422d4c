"""Rows of imports, and who and what came with them."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct

from bursar.domain.customers import Customer
from bursar.domain.ids import CustomerId, print_id, uuid_of
from bursar.domain.imports import CustomerRow, Import
from bursar.domain.money import Money
from bursar.domain.rows import row_to_customer
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


class Arrived(Struct, frozen=True):
    """Who came under a reference, and the digest of the row they came with."""

    customer_id: CustomerId
    digest: bytes


async def arrived(tx: Tx, references: Collection[str]) -> dict[str, Arrived]:
    """Who came already, by reference."""
    rows = await tx.fetch(Q.known_references, uuid_of(tx.org_id), [*references])
    return {
        row["reference"]: Arrived(
            CustomerId(print_id("cust", row["customer_id"])), bytes(row["digest"])
        )
        for row in rows
    }


async def note_arrivals(tx: Tx, came: Sequence[tuple[CustomerRow, Customer]]) -> None:
    """Who came under which reference; nobody comes twice."""
    if came:
        await tx.execute(
            Q.note_references,
            uuid_of(tx.org_id),
            [row.reference for row, _ in came],
            [uuid_of(customer.id) for _, customer in came],
            [row.digest for row, _ in came],
        )


async def lock_customers(tx: Tx, ids: Collection[CustomerId]) -> dict[CustomerId, Customer]:
    """Those of these customers who are there, locked in the order of their ids."""
    keys = sorted({uuid_of(each) for each in ids})
    rows = await tx.fetch(Q.lock_customers, uuid_of(tx.org_id), keys)
    return {customer.id: customer for customer in map(row_to_customer, rows)}


async def opened(tx: Tx, ids: Collection[CustomerId]) -> dict[CustomerId, int]:
    """What these customers came with already, in minor units."""
    keys = [uuid_of(each) for each in ids]
    rows = await tx.fetch(Q.opening_balances, uuid_of(tx.org_id), keys)
    return {CustomerId(print_id("cust", row["customer_id"])): row["amount_minor"] for row in rows}


async def note_opened(tx: Tx, balances: Mapping[CustomerId, Money]) -> None:
    """What customers came with; nobody comes with something twice."""
    if balances:
        await tx.execute(
            Q.note_opening_balances,
            uuid_of(tx.org_id),
            [uuid_of(each) for each in balances],
            [amount.minor for amount in balances.values()],
            [amount.currency for amount in balances.values()],
        )


async def save(tx: Tx, row: Import) -> None:
    """An import is written once.

    Raises:
        StaleVersion: it is there already.
    """
    touched = await tx.execute(
        Q.insert_import,
        uuid_of(tx.org_id),
        uuid_of(row.id),
        row.kind.value,
        row.format.value,
        row.created,
        row.unchanged,
        row.failed,
        msgspec.json.encode(row.faults).decode(),
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    replaced(row, touched)
