"""A customer as the world sees them, with the payment provider's names for them."""

from typing import Literal

from bursar.domain.customers import CreditBalance, Customer, TaxTreatment
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
            default_payment_method_id=customer.method_reference,
            deleted_at=instant(customer.deleted_at),
            version=customer.version,
            created_at=wire_instant(customer.created_at),
            updated_at=wire_instant(customer.updated_at),
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
