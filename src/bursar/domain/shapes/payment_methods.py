"""A payment method as the world sees it: what a receipt may show of it, never a number."""

from typing import Literal, Self

import msgspec

from bursar.domain.payment_methods import PaymentMethod
from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class PaymentMethodOut(Shape, frozen=True, kw_only=True):
    """One stored method. The customer's `defaultPaymentMethodId` names the one that is charged."""

    id: str
    object: Literal["payment_method"] = "payment_method"
    customer_id: str
    type: str
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    provider: str
    stripe_payment_method_id: str
    detached_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, method: PaymentMethod) -> "PaymentMethodOut":
        """The method's shape."""
        return cls(
            id=method.id,
            customer_id=method.customer_id,
            type=method.face.kind,
            brand=method.face.brand,
            last4=method.face.last4,
            exp_month=method.face.exp_month,
            exp_year=method.face.exp_year,
            provider=method.provider,
            stripe_payment_method_id=method.provider_reference,
            detached_at=instant(method.detached_at),
            version=method.version,
            created_at=wire_instant(method.created_at),
            updated_at=wire_instant(method.updated_at),
        )

    def masked(self) -> Self:
        """The same without a face, as it is when its customer is erased."""
        return msgspec.structs.replace(self, brand=None, last4=None, exp_month=None, exp_year=None)


class MethodSetupOut(Shape, frozen=True, kw_only=True):
    """Either the method that is kept now, or where its holder has to act first."""

    object: Literal["payment_method_setup"] = "payment_method_setup"
    status: Literal["succeeded", "requires_action"]
    next_action_url: str | None
    payment_method: PaymentMethodOut | None

    @classmethod
    def of_method(cls, method: PaymentMethod) -> "MethodSetupOut":
        """It was proven, and is kept."""
        kept = PaymentMethodOut.of(method)
        return cls(status="succeeded", next_action_url=None, payment_method=kept)

    @classmethod
    def of_action(cls, url: str) -> "MethodSetupOut":
        """Its holder has to go there first."""
        return cls(status="requires_action", next_action_url=url, payment_method=None)
