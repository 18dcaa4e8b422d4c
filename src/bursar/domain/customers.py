"""Customers: who is billed. One currency each, fixed once it is used.

The customer row is also the lock: a money verb locks it first and is then alone with that
customer's affairs. The provider's id for a customer is a reference that arrives later, never a key.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import (
    CustomerCreated,
    CustomerDeleted,
    CustomerErased,
    CustomerUpdated,
    Event,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, OrgId, PaymentMethodId
from bursar.domain.money import Money
from bursar.domain.provider import CustomerRequest
from bursar.domain.refusals import StillInUse
from bursar.domain.tasks import SyncCustomer, SyncMethod
from bursar.domain.tax_ids import require_form
from bursar.domain.times import Instant

ERASED_NAME: Final = "Erased customer"
ERASED_EMAIL: Final = "erased@erased.invalid"


class TaxTreatment(StrEnum):
    """Whether what is billed to a customer is taxed; if not, the document says why."""

    TAXABLE = "taxable"
    EXEMPT = "exempt"
    REVERSE_CHARGE = "reverse_charge"


class Customer(Struct, frozen=True):
    """Somebody who owes or pays."""

    id: CustomerId
    email: str
    name: str
    currency: Currency
    tax_id: str | None
    tax_treatment: TaxTreatment
    address: dict[str, str] | None
    metadata: dict[str, str]
    provider_reference: str | None
    method_reference: str | None
    method_id: PaymentMethodId | None
    deleted_at: Instant | None
    erased_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def country(self) -> str | None:
        """Where they are, if the address says so."""
        return (self.address or {}).get("country")

    def described(self, org_id: OrgId) -> CustomerRequest:
        """What the provider should know of them."""
        return CustomerRequest(org_id, self.id, self.email, self.name, self.provider_reference)

    def edit(self, after: "Customer") -> Change | None:
        """Another state of the same customer, as a caller wants it; the provider is told.

        Raises:
            InvalidInput: the tax id is not written as its country writes them.
        """
        assert after.id == self.id
        if after == self:
            return None
        if (after.tax_id, after.country) != (self.tax_id, self.country):
            require_form(after.tax_id, country=after.country)
        after = replace(after, version=self.version + 1)
        tasks = (SyncCustomer(self.id),) if _told_abroad(self) != _told_abroad(after) else ()
        return Change(rows=(after,), events=(CustomerUpdated(after, self),), tasks=tasks)

    def link(self, reference: str) -> Change | None:
        """The provider knows the customer under `reference`."""
        if self.provider_reference == reference:
            return None
        after = replace(self, provider_reference=reference, version=self.version + 1)
        return Change(rows=(after,), events=(CustomerUpdated(after, self),))

    def use_method(self, method_id: PaymentMethodId, *, reference: str) -> Change | None:
        """This stored method is charged by default; the provider is told soon."""
        if (self.method_id, self.method_reference) == (method_id, reference):
            return None
        after = replace(
            self, method_id=method_id, method_reference=reference, version=self.version + 1
        )
        tasks = (SyncMethod(method_id),)
        return Change(rows=(after,), events=(CustomerUpdated(after, self),), tasks=tasks)

    def lose_method(self, method_id: PaymentMethodId) -> Change | None:
        """A method was detached: if it was the default, nothing is charged by default any more."""
        if self.method_id != method_id:
            return None
        after = replace(self, method_id=None, method_reference=None, version=self.version + 1)
        return Change(rows=(after,), events=(CustomerUpdated(after, self),))

    def delete(
        self, *, open_invoices: int, open_wallets: int = 0, running: int = 0, at: Instant
    ) -> Change | None:
        """Hide the customer; the documents stay.

        Raises:
            StillInUse: subscriptions run, or drafts, open invoices or open wallets remain.
        """
        if self.deleted_at is not None:
            return None
        self._require_nothing_open(open_invoices, open_wallets, running)
        after = replace(self, deleted_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(CustomerDeleted(after, self),))

    def erase(
        self, *, open_invoices: int, open_wallets: int = 0, running: int = 0, at: Instant
    ) -> Change | None:
        """Take out who the customer is, and delete them; the provider is told.

        The country stays, because taxes were worked out by it. Nothing of what was before is told.

        Raises:
            StillInUse: subscriptions run, or drafts, open invoices or open wallets remain.
        """
        if self.erased_at is not None:
            return None
        self._require_nothing_open(open_invoices, open_wallets, running)
        before = replace(
            self,
            email=ERASED_EMAIL,
            name=ERASED_NAME,
            tax_id=None,
            address=without_place(self.address),
            metadata={},
            method_reference=None,
            method_id=None,
        )
        deleted_at = self.deleted_at or at
        after = replace(before, deleted_at=deleted_at, erased_at=at, version=self.version + 1)
        events: tuple[Event, ...] = (CustomerErased(after, before),)
        if self.deleted_at is None:
            events = (CustomerDeleted(after, before), *events)
        return Change(rows=(after,), events=events, tasks=(SyncCustomer(self.id),))

    def _require_nothing_open(self, open_invoices: int, open_wallets: int, running: int) -> None:
        if running:
            raise StillInUse(f"Customer {self.id} has {running} running subscriptions.")
        if open_invoices:
            raise StillInUse(f"Customer {self.id} has {open_invoices} draft or open invoices.")
        if open_wallets:
            raise StillInUse(f"Customer {self.id} has {open_wallets} open wallets.")


class NewCustomer(Struct, frozen=True, kw_only=True):
    """What is known of a customer whom the provider does not know yet."""

    id: CustomerId
    email: str
    name: str
    currency: Currency
    tax_id: str | None
    tax_treatment: TaxTreatment
    address: dict[str, str] | None
    metadata: dict[str, str]
    at: Instant

    def begun(self) -> Customer:
        """The customer's first version."""
        return Customer(
            id=self.id,
            email=self.email,
            name=self.name,
            currency=self.currency,
            tax_id=self.tax_id,
            tax_treatment=self.tax_treatment,
            address=self.address,
            metadata=self.metadata,
            provider_reference=None,
            method_reference=None,
            method_id=None,
            deleted_at=None,
            erased_at=None,
            version=1,
            sequence=0,
            created_at=self.at,
            updated_at=self.at,
        )


class Erasure(Struct, frozen=True):
    """How many facts, mails and answers of endpoints said something of a customer.

    `documents` are the invoices and credit notes that stay.
    """

    customer_id: CustomerId
    erased_at: Instant
    events: int = 0
    mails: int = 0
    answers: int = 0
    documents: int = 0


class CreditBalance(Struct, frozen=True):
    """What a customer has to their credit, in their currency."""

    customer_id: CustomerId
    amount: Money


def without_place(address: dict[str, str] | None) -> dict[str, str] | None:
    """An address that says the country and nothing else."""
    return None if address is None else {k: v for k, v in address.items() if k == "country"} or None


def _told_abroad(customer: Customer) -> tuple[str, str]:
    return customer.email, customer.name


def register(customer: Customer) -> Change:
    """A new customer, made known to the provider soon even if the first call fails.

    Raises:
        InvalidInput: the tax id is not written as its country writes them.
    """
    require_form(customer.tax_id, country=customer.country)
    return Change(
        rows=(customer,),
        events=(CustomerCreated(customer),),
        tasks=(SyncCustomer(customer.id),),
    )
