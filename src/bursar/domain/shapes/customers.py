"""A customer as the world sees them, with the payment provider's names for them."""

from typing import Literal, Self

import msgspec

from bursar.domain.customers import (
    ERASED_EMAIL,
    ERASED_NAME,
    CreditBalance,
    Customer,
    Erasure,
    TaxTreatment,
    without_place,
)
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class CustomerOut(Shape, frozen=True, kw_only=True):
    """One customer."""

    id: str
    object: Literal["customer"] = "customer"
    email: str
    name: str
    currency: str
    tax_id: str | None
    tax_treatment: TaxTreatment
    address: dict[str, str] | None
    metadata: dict[str, str]
    stripe_customer_id: str | None
    default_payment_method_id: str | None
    deleted_at: WireInstant | None
    erased_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, customer: Customer) -> "CustomerOut":
        """The customer's shape."""
        return cls(
            id=customer.id,
            email=customer.email,
            name=customer.name,
            currency=customer.currency,
            tax_id=customer.tax_id,
            tax_treatment=customer.tax_treatment,
            address=customer.address,
            metadata=customer.metadata,
            stripe_customer_id=customer.provider_reference,
            default_payment_method_id=customer.method_id,
            deleted_at=instant(customer.deleted_at),
            erased_at=instant(customer.erased_at),
            version=customer.version,
            created_at=wire_instant(customer.created_at),
            updated_at=wire_instant(customer.updated_at),
        )

    def masked(self) -> Self:
        """The same without name and address, as it is when they are erased."""
        return msgspec.structs.replace(
            self,
            email=ERASED_EMAIL,
            name=ERASED_NAME,
            tax_id=None,
            address=without_place(self.address),
            metadata={},
        )


class ErasureOut(Shape, frozen=True, kw_only=True):
    """What an erasure took out; with `dryRun`, what it would.

    `events` said something of the customer in the log, `mails` were written to them, and `answers`
    of webhook endpoints may have repeated it. Their `documents` stay, without name and address.
    """

    object: Literal["erasure"] = "erasure"
    customer_id: str
    erased_at: WireInstant
    events: int
    mails: int
    answers: int
    documents: int

    @classmethod
    def of(cls, erasure: Erasure) -> "ErasureOut":
        """The erasure's shape."""
        return cls(
            customer_id=erasure.customer_id,
            erased_at=wire_instant(erasure.erased_at),
            events=erasure.events,
            mails=erasure.mails,
            answers=erasure.answers,
            documents=erasure.documents,
        )


class CreditBalanceOut(Shape, frozen=True, kw_only=True):
    """What a customer has to their credit."""

    object: Literal["credit_balance"] = "credit_balance"
    customer_id: str
    balance_cents: Cents
    currency: str

    @classmethod
    def of(cls, balance: CreditBalance) -> "CreditBalanceOut":
        """The balance's shape."""
        return cls(
            customer_id=balance.customer_id,
            balance_cents=balance.amount.minor,
            currency=balance.amount.currency,
        )
