"""`/v1/customers`: who is billed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import changed, created, found, gone, resource, travelled
from bursar.api.fields import (
    Body,
    CurrencyCode,
    DryRun,
    Email,
    Metadata,
    MetadataPatch,
    Moment,
    Name,
    NoQuery,
    Nothing,
    TaxId,
    Text500,
)
from bursar.api.filters import CreatedQuery
from bursar.api.merging import merged, named, peeked, raced
from bursar.api.paging import pages, piece
from bursar.api.postal import Address
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.customers import TaxTreatment
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId
from bursar.domain.refusals import NotFound, PreconditionFailed, StaleVersion, StillInUse
from bursar.domain.shapes.customers import CreditBalanceOut, CustomerOut, ErasureOut
from bursar.flows.create_customer import create_customer_everywhere
from bursar.operations.customers import (
    CreateCustomer,
    DeleteCustomer,
    EraseCustomer,
    UpdateCustomer,
    delete_customer,
    erase_customer,
    update_customer,
)
from bursar.reads.credit_balances import credit_balance
from bursar.reads.customers import CustomerFilters
from bursar.reads.customers import customer as customer_look
from bursar.reads.customers import customers as customers_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Customers", prefix="/v1/customers", about="Who is billed. One currency each.")


class NewCustomer(Body, frozen=True):
    """A customer to create; the currency defaults to the organization's."""

    email: Email
    name: Name
    currency: CurrencyCode | None = None
    tax_id: TaxId | None = None
    tax_treatment: TaxTreatment = TaxTreatment.TAXABLE
    address: Address | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateCustomer:
        """What it asks for."""
        return CreateCustomer(
            email=self.email,
            name=self.name,
            currency=self.currency,
            tax_id=self.tax_id,
            tax_treatment=self.tax_treatment,
            address=None if self.address is None else self.address.to_map(),
            metadata=self.metadata,
        )


class CustomerPatch(Body, frozen=True):
    """Details to change. `address` is replaced whole; `metadata` is merged."""

    email: Email | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    tax_id: TaxId | UnsetType | None = UNSET
    tax_treatment: TaxTreatment | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET


class ErasureBody(Body, frozen=True):
    """Why somebody is erased: kept in the log, so it should not say who they are."""

    reason: Text500


class CustomerQuery(CreatedQuery, frozen=True):
    """Which customers; `q` is looked for in e-mail and name."""

    email: Email | None = None
    q: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


def _id(call: Call[Any, Any]) -> CustomerId:
    return CustomerId(call.id("customerId"))


@ROOM.post(
    "",
    Terms(needs=Permission.CUSTOMER_WRITE, takes=NewCustomer, gives=CustomerOut, status=201),
)
async def create_customer(call: Call[NewCustomer, NoQuery]) -> Answer:
    """Create a customer.

    The payment provider learns of them at once, or soon when it is away; `stripeCustomerId` is
    what it calls them.
    """
    reply = created(CustomerOut.of, ROOM.prefix)
    command = call.body.to_command()
    return await travelled(create_customer_everywhere(call.caller, command, reply), reply)


@ROOM.get(
    "",
    Terms(needs=Permission.CUSTOMER_READ, gives=CustomerOut, is_list=True, query=CustomerQuery),
)
async def list_customers(call: Call[None, CustomerQuery]) -> Answer:
    """List customers, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = CustomerFilters(
        email=query.email,
        text=query.q,
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(customers_look, page, filters)
    return piece(call.caller, page, shown, CustomerOut.of)


@ROOM.get(
    "/{customerId}",
    Terms(needs=Permission.CUSTOMER_READ, gives=CustomerOut, refuses=(NotFound,)),
)
async def get_customer(call: Call[None, NoQuery]) -> Answer:
    """Get a customer."""
    return resource(CustomerOut.of(await call.caller.look(customer_look, _id(call))))


@ROOM.get(
    "/{customerId}/credit-balance",
    Terms(needs=Permission.CUSTOMER_READ, gives=CreditBalanceOut, refuses=(NotFound,)),
)
async def get_credit_balance(call: Call[None, NoQuery]) -> Answer:
    """Get what a customer has to their credit.

    What came in above what was due, and what was credited; it pays their next invoices first when
    those are finalized, unless the organization switched that off.
    """
    return resource(CreditBalanceOut.of(await call.caller.look(credit_balance, _id(call))))


@ROOM.patch(
    "/{customerId}",
    Terms(
        needs=Permission.CUSTOMER_WRITE,
        takes=CustomerPatch,
        gives=CustomerOut,
        is_versioned=True,
        refuses=(NotFound, PreconditionFailed, StaleVersion),
    ),
)
async def update_customer_details(call: Call[CustomerPatch, NoQuery]) -> Answer:
    """Change a customer's details.

    A JSON merge patch: what is not named stays, null takes away.
    """
    changes, version = named(call.body), call.expected_version
    if isinstance(call.body.address, Address):
        changes["address"] = call.body.address.to_map()
    before, patch = None, call.body.metadata
    if not isinstance(patch, UnsetType):
        before = await peeked(call.caller.look(customer_look, _id(call)))
    if before is not None and not isinstance(patch, UnsetType):
        changes["metadata"] = merged(before.metadata, patch, "metadata")
        version = before.version if version is None else version
    command = UpdateCustomer(_id(call), changes, version)
    async with raced(is_expected=call.expected_version is not None):
        return await changed(call.caller, update_customer, command, found(CustomerOut.of))


@ROOM.delete(
    "/{customerId}",
    Terms(needs=Permission.CUSTOMER_WRITE, status=204, refuses=(NotFound, StillInUse)),
)
async def delete_one_customer(call: Call[Nothing, NoQuery]) -> Answer:
    """Delete a customer who owes nothing.

    Their documents stay; running subscriptions, drafts, open invoices and open wallets prevent it.
    """
    return await changed(call.caller, delete_customer, DeleteCustomer(_id(call)), gone)


@ROOM.post(
    "/{customerId}/erase",
    Terms(
        needs=Permission.CUSTOMER_ERASE,
        takes=ErasureBody,
        gives=ErasureOut,
        query=DryRun,
        refuses=(NotFound, StillInUse),
    ),
)
async def erase_one_customer(call: Call[ErasureBody, DryRun]) -> Answer:
    """Erase who a customer is.

    Name, e-mail, address, tax id and metadata go for good: from the customer, from what the log
    tells of them, from mail, and at the payment provider, which is told. The country stays. They
    are deleted too, if they were not. Documents and books stay, with numbers and amounts: keep a
    copy of those that the law wants with a name. The audit log's chain holds as before.
    """
    caller = replace(call.caller, reason=call.body.reason)
    return await changed(caller, erase_customer, EraseCustomer(_id(call)), found(ErasureOut.of))
