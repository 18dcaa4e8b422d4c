"""A plan and its prices, as the world sees them."""

from typing import Literal

from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.pricing import BillingInterval, Price, PricingModel, Tier
from bursar.domain.shapes.fields import (
    Cents,
    Shape,
    WireDecimal,
    WireInstant,
    decimal,
    instant,
    whole,
)
from bursar.domain.times import wire_instant


class TierOut(Shape, frozen=True, kw_only=True):
    """One tier: units up to and including `upTo`, and what they cost."""

    up_to: int | None
    unit_amount_cents: Cents | None
    unit_amount_decimal: WireDecimal
    flat_amount_cents: Cents

    @classmethod
    def of(cls, tier: Tier) -> "TierOut":
        """The tier's shape."""
        flat = whole(tier.flat_amount)
        assert flat is not None, "a flat fee is whole"
        return cls(
            up_to=tier.up_to,
            unit_amount_cents=whole(tier.unit_amount),
            unit_amount_decimal=decimal(tier.unit_amount),
            flat_amount_cents=flat,
        )


class ChargeOut(Shape, frozen=True, kw_only=True):
    """A metered charge on top of the plan's own price."""

    id: str
    object: Literal["price"] = "price"
    name: str | None
    meter_id: str | None
    pricing_model: PricingModel
    amount_cents: Cents | None
    unit_amount_decimal: WireDecimal | None
    package_size: int | None
    tiers: tuple[TierOut, ...]
    billing_interval: BillingInterval

    @classmethod
    def of(cls, price: Price) -> "ChargeOut":
        """The charge's shape."""
        terms = price.terms
        return cls(
            id=price.id,
            name=terms.name,
            meter_id=terms.meter_id,
            pricing_model=terms.model,
            amount_cents=None if terms.unit_amount is None else whole(terms.unit_amount),
            unit_amount_decimal=None if terms.unit_amount is None else decimal(terms.unit_amount),
            package_size=terms.package_size,
            tiers=tuple(map(TierOut.of, terms.tiers)),
            billing_interval=terms.interval,
        )


class PlanOut(Shape, frozen=True, kw_only=True):
    """One plan, with the current version of its prices."""

    id: str
    object: Literal["plan"] = "plan"
    name: str
    description: str | None
    status: PlanStatus
    currency: str
    billing_interval: BillingInterval
    trial_period_days: int
    price_id: str
    price_version: int
    pricing_model: PricingModel
    amount_cents: Cents | None
    unit_amount_decimal: WireDecimal | None
    package_size: int | None
    tiers: tuple[TierOut, ...]
    meter_id: str | None
    charges: tuple[ChargeOut, ...]
    metadata: dict[str, str]
    archived_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, plan: Plan) -> "PlanOut":
        """The plan's shape."""
        own = ChargeOut.of(plan.own_price)
        return cls(
            id=plan.id,
            name=plan.name,
            description=plan.description,
            status=plan.status,
            currency=plan.currency,
            billing_interval=plan.interval,
            trial_period_days=plan.trial_days,
            price_id=own.id,
            price_version=plan.price_version,
            pricing_model=own.pricing_model,
            amount_cents=own.amount_cents,
            unit_amount_decimal=own.unit_amount_decimal,
            package_size=own.package_size,
            tiers=own.tiers,
            meter_id=own.meter_id,
            charges=tuple(map(ChargeOut.of, plan.charges)),
            metadata=plan.metadata,
            archived_at=instant(plan.archived_at),
            version=plan.version,
            created_at=wire_instant(plan.created_at),
            updated_at=wire_instant(plan.updated_at),
        )
