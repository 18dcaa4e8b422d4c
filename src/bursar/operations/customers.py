"""Customers: create, change, delete, and what the payment provider knows of them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer, Erasure, NewCustomer, TaxTreatment
from bursar.domain.customers import register as registered
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, print_id
from bursar.domain.orgs import Mode
from bursar.domain.provider import CustomerRequest
from bursar.domain.refusals import NotFound, PreconditionFailed
from bursar.domain.tasks import SyncCustomer
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, orgs, payment_methods, prints, subscriptions, wallets
from bursar.store.apply import apply

# Longer than a call to the provider may take: by then whoever attached a card and died is dead.
_LAST_CALL: Final = timedelta(minutes=10)


class CreateCustomer(Struct, frozen=True, kw_only=True):
    """Somebody to bill; the currency defaults to the organization's."""

    email: str
    name: str
    currency: Currency | None = None
    tax_id: str | None = None
    tax_treatment: TaxTreatment = TaxTreatment.TAXABLE
    address: dict[str, str] | None = None
    metadata: dict[str, str]


@operation(requires=Permission.CUSTOMER_WRITE)
async def create_customer(tx: Tx, command: CreateCustomer) -> Customer:
    """A new customer; the provider is told by a task that the same commit leaves behind.

    A request that is sent again goes on with the customer it made.

    Raises:
        InvalidInput: the tax id is not written as its country writes them.
    """
    if tx.begun is not None:
        return await customers.lock(tx, CustomerId(print_id("cust", tx.begun)))
    organization = await orgs.get(tx)
    customer = NewCustomer(
        id=CustomerId(tx.new_id("cust")),
        email=command.email,
        name=command.name,
        currency=command.currency or organization.currency,
        tax_id=command.tax_id,
        tax_treatment=command.tax_treatment,
        address=command.address,
        metadata=command.metadata,
        at=tx.now,
    ).begun()
    await tx.note_begun(customer.id)
    return await _written(tx, customer, registered(customer))


class UpdateCustomer(Struct, frozen=True):
    """Fields to change, by their names in `Customer`; `expected_version` is If-Match."""

    customer_id: CustomerId
    changes: Mapping[str, Any]
    expected_version: int | None = None


@operation(requires=Permission.CUSTOMER_WRITE)
async def update_customer(tx: Tx, command: UpdateCustomer) -> Customer:
    """Change details; the provider is told when it keeps them too.

    Raises:
        NotFound: no such customer.
        PreconditionFailed: another version than the expected one.
    """
    customer = await customers.lock(tx, command.customer_id)
    _require_version(customer, command.expected_version)
    after = replace(customer, **command.changes)
    return await _written(tx, customer, customer.edit(after))


class DeleteCustomer(Struct, frozen=True):
    """Hide a customer who owes nothing."""

    customer_id: CustomerId


@operation(requires=Permission.CUSTOMER_WRITE)
async def delete_customer(tx: Tx, command: DeleteCustomer) -> Customer:
    """The customer goes; the documents stay.

    Raises:
        StillInUse: subscriptions run, or drafts, open invoices or open wallets remain.
    """
    customer = await customers.lock(tx, command.customer_id)
    open_invoices = await customers.open_invoices(tx, customer.id)
    open_wallets = await wallets.count_open(tx, customer.id)
    running = await subscriptions.count_running(tx, customer.id)
    change = customer.delete(
        open_invoices=open_invoices, open_wallets=open_wallets, running=running, at=tx.now
    )
    return await _written(tx, customer, change)


class EraseCustomer(Struct, frozen=True):
    """Take out who a customer is, wherever it is kept."""

    customer_id: CustomerId


@operation(requires=Permission.CUSTOMER_ERASE)
async def erase_customer(tx: Tx, command: EraseCustomer) -> Erasure:
    """The person goes, from the log too; documents and books stay. Doing it again changes nothing.

    What they were charged by is detached, which the provider is told by a task; and by a second
    one later, for a card may be on its way there that nobody here will ever hear of.

    Raises:
        StillInUse: subscriptions run, or drafts, open invoices or open wallets remain.
    """
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    change = customer.erase(
        open_invoices=await customers.open_invoices(tx, customer.id),
        open_wallets=await wallets.count_open(tx, customer.id),
        running=await subscriptions.count_running(tx, customer.id),
        at=tx.now,
    )
    erased = await _written(tx, customer, change)
    if change is not None:
        await tx.enqueue(SyncCustomer(erased.id), delay=_LAST_CALL)
    for method in await payment_methods.of_customer(tx, customer.id):
        faceless = method.erase(tx.now)
        if faceless is not None:
            await apply(tx, faceless)
    assert erased.erased_at is not None
    await prints.forget(tx, erased.id)
    return await customers.forget(tx, erased.id, erased.erased_at)


class DescribeCustomer(Struct, frozen=True):
    """What the provider should know."""

    customer_id: CustomerId


class Described(Struct, frozen=True):
    """The request that makes the provider know a customer, and the organization's mode."""

    request: CustomerRequest
    mode: Mode
    is_erased: bool


@operation(requires=Permission.CUSTOMER_WRITE)
async def describe_customer(tx: Tx, command: DescribeCustomer) -> Described:
    """What the provider should know now."""
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    if customer.deleted_at is not None and customer.erased_at is None:
        raise NotFound(f"No customer {customer.id}.")  # only an erasure is told of afterwards
    assert tx.mode is not None
    is_erased = customer.erased_at is not None
    return Described(customer.described(tx.org_id), Mode(tx.mode), is_erased)


class LinkCustomer(Struct, frozen=True):
    """The provider's answer: its own id for the customer, if it gave one.

    `told` is what it answered to.
    """

    customer_id: CustomerId
    reference: str | None
    told: CustomerRequest


@operation(requires=Permission.CUSTOMER_WRITE)
async def link_customer(tx: Tx, command: LinkCustomer) -> Customer:
    """Keep what the provider calls the customer.

    Whoever was erased meanwhile is told of again: the old name may have come there last.
    """
    customer = await customers.lock(tx, command.customer_id, even_deleted=True)
    if customer.erased_at is not None and customer.email != command.told.email:
        await tx.enqueue(SyncCustomer(customer.id))
    if command.reference is None or customer.deleted_at is not None:
        return customer
    return await _written(tx, customer, customer.link(command.reference))


async def _written(tx: Tx, customer: Customer, change: Change | None) -> Customer:
    if change is None:
        return customer
    written = (await apply(tx, change))[customer.id]
    assert isinstance(written, Customer)
    return written


def _require_version(customer: Customer, expected: int | None) -> None:
    if expected is not None and expected != customer.version:
        raise PreconditionFailed(f"{customer.id} is at version {customer.version}.")
