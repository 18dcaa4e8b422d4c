"""Imports: customers and opening balances, a file at a time, each row at most once for ever."""

import hmac
from collections.abc import Sequence

from msgspec import Struct

from bursar.domain import chart
from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.customers import Customer, NewCustomer, register
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, ImportId
from bursar.domain.import_files import FileFormat, RowFault
from bursar.domain.imports import (
    FAULTS_KEPT_MAX,
    BalanceRow,
    CustomerRow,
    Import,
    ImportKind,
    read_balances,
    read_customers,
)
from bursar.domain.money import Money
from bursar.domain.orgs import Organization
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import imports, orgs
from bursar.store.apply import apply
from bursar.store.imports import Arrived


class ImportFile(Struct, frozen=True):
    """A file as it was written elsewhere."""

    format: FileFormat
    content: str


@operation(requires=Permission.CUSTOMER_WRITE)
async def import_customers(tx: Tx, command: ImportFile) -> Import:
    """Every customer whose reference is new; the provider is told of each by a task.

    Raises:
        InvalidInput: the file as a whole is none.
    """
    house = await orgs.lock(tx)  # one import at a time, so that no reference is taken twice
    rows, faults = read_customers(command.content, command.format)
    known = await imports.arrived(tx, {each.reference for each in rows})
    faults += [fault for each in rows for fault in _otherwise(each, known)]
    fresh = [(each, _customer(tx, each, house)) for each in rows if each.reference not in known]
    changes = [register(customer) for _, customer in fresh]
    done = _import(tx, command, ImportKind.CUSTOMERS, len(fresh), faults)
    done = replace(done, unchanged=len(rows) - len(fresh) - _after_reading(rows, faults))
    written = await apply(tx, _together([done.finish(), *changes]))
    await imports.note_arrivals(tx, fresh)
    return _written(written[done.id])


def _together(changes: Sequence[Change]) -> Change:
    return Change(
        rows=tuple(row for each in changes for row in each.rows),
        events=tuple(event for each in changes for event in each.events),
        tasks=tuple(task for each in changes for task in each.tasks),
    )


def _otherwise(row: CustomerRow, known: dict[str, Arrived]) -> list[RowFault]:
    came = known.get(row.reference)
    if came is None or hmac.compare_digest(came.digest, row.digest):
        return []
    says = f"was imported before as {came.customer_id}, and with another row"
    return [row.row.fault("reference", says=says, code="imported_otherwise")]


def _customer(tx: Tx, row: CustomerRow, house: Organization) -> Customer:
    return NewCustomer(
        id=CustomerId(tx.new_id("cust")),
        email=row.email,
        name=row.name,
        currency=row.currency or house.currency,
        tax_id=row.tax_id,
        tax_treatment=row.tax_treatment,
        address=row.address,
        metadata=row.metadata,
        at=tx.now,
    ).begun()


@operation(requires=Permission.PAYMENT_RECORD)
async def import_opening_balances(tx: Tx, command: ImportFile) -> Import:
    """What customers came with becomes their credit, once each, booked against the outside world.

    Raises:
        InvalidInput: the file as a whole is none.
    """
    rows, faults = read_balances(command.content, command.format)
    came = await imports.arrived(tx, {each.reference for each in rows if each.reference})
    whose = [(each, _whose(each, came)) for each in rows]
    wanted = {customer_id for _, customer_id in whose if customer_id is not None}
    buyers = await imports.lock_customers(tx, wanted)
    held = await imports.opened(tx, buyers)
    fresh: dict[CustomerId, Money] = {}
    for row, customer_id in whose:
        buyer = None if customer_id is None else buyers.get(customer_id)
        if (fault := _unfit(row, buyer, held)) is not None:
            faults.append(fault)
        elif buyer is not None and buyer.id not in held:
            fresh[buyer.id] = Money(row.amount_minor, buyer.currency)
            held[buyer.id] = row.amount_minor
    postings = tuple(
        chart.opening_balance(customer_id, amount, tx.now) for customer_id, amount in fresh.items()
    )
    done = _import(tx, command, ImportKind.OPENING_BALANCES, len(fresh), faults)
    done = replace(done, unchanged=len(rows) - len(fresh) - _after_reading(rows, faults))
    await imports.note_opened(tx, fresh)
    return _written((await apply(tx, replace(done.finish(), postings=postings)))[done.id])


def _whose(row: BalanceRow, came: dict[str, Arrived]) -> CustomerId | None:
    if row.reference is None:
        return row.customer_id
    found = came.get(row.reference)
    return None if found is None else found.customer_id


def _unfit(row: BalanceRow, buyer: Customer | None, held: dict[CustomerId, int]) -> RowFault | None:
    if buyer is None:
        place = "customerId" if row.reference is None else "reference"
        return row.row.fault(place, says="no such customer", code="not_found")
    if row.currency not in {None, buyer.currency}:
        says = f"the customer pays in {buyer.currency}"
        return row.row.fault("currency", says=says, code="mismatch")
    if held.get(buyer.id, row.amount_minor) != row.amount_minor:
        says = f"{buyer.id} came with another balance before"
        return row.row.fault("amountCents", says=says, code="imported_otherwise")
    return None


def _after_reading(
    rows: Sequence[CustomerRow] | Sequence[BalanceRow], faults: Sequence[RowFault]
) -> int:
    """How many rows that could be read are refused all the same."""
    return len({each.row.number for each in rows} & {fault.row for fault in faults})


def _import(
    tx: Tx, command: ImportFile, kind: ImportKind, created: int, faults: Sequence[RowFault]
) -> Import:
    ordered = sorted(faults, key=lambda fault: fault.row)
    return Import(
        id=ImportId(tx.new_id("imp")),
        kind=kind,
        format=command.format,
        created=created,
        unchanged=0,
        failed=len({fault.row for fault in faults}),
        faults=tuple(ordered[:FAULTS_KEPT_MAX]),
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )


def _written(row: object) -> Import:
    assert isinstance(row, Import)
    return row
