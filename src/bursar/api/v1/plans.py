"""`/v1/plans`: what can be subscribed to."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    AmountCents,
    AmountDecimal,
    Body,
    CurrencyCode,
    Metadata,
    MetadataPatch,
    MeterRef,
    Moment,
    NoQuery,
    Nothing,
    ShortText,
    Text500,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.merging import merged, named, peeked, raced
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.catalog import CHARGES_MAX, TRIAL_DAYS_MAX, PlanStatus
from bursar.domain.ids import PlanId
from bursar.domain.pricing import (
    QUANTITY_MAX,
    TIERS_MAX,
    BillingInterval,
    PriceTerms,
    PricingModel,
    Tier,
)
from bursar.domain.refusals import (
    IllegalTransition,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    StaleVersion,
)
from bursar.domain.shapes.plans import PlanOut
from bursar.operations.plans import (
    ArchivePlan,
    CreatePlan,
    UpdatePlan,
    archive_plan,
    create_plan,
    update_plan,
)
from bursar.reads.plans import PlanFilters
from bursar.reads.plans import plan as plan_look
from bursar.reads.plans import plans as plans_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Plans",
    prefix="/v1/plans",
    about="What can be subscribed to. Another price is a new version; what runs keeps its own.",
)

TrialDays = Annotated[int, Meta(ge=0, le=TRIAL_DAYS_MAX, examples=[14])]
Units = Annotated[int, Meta(ge=1, le=QUANTITY_MAX, examples=[1000])]


class TierBody(Body, frozen=True):
    """Units up to and including `upTo` (null: all further ones) and what they cost."""

    up_to: Units | None = None
    unit_amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    flat_amount_cents: AmountCents = 0

    def to_tier(self, place: str) -> Tier:
        """The tier it describes.

        Raises:
            InvalidInput: no price, or two of them.
        """
        unit = _one_amount(
            self.unit_amount_cents, self.unit_amount_decimal, f"{place}.unitAmountCents"
        )
        if unit is None:
            says = "give either unitAmountCents or unitAmountDecimal"
            raise InvalidInput.at(f"{place}.unitAmountCents", says, "required")
        return Tier(self.up_to, unit, Decimal(self.flat_amount_cents))


Tiers = Annotated[list[TierBody], Meta(max_length=TIERS_MAX)]


class ChargeBody(Body, frozen=True):
    """A metered charge on top of the plan's own price; billed with the plan or more often."""

    meter_id: MeterRef
    pricing_model: PricingModel
    name: ShortText | None = None
    amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    tiers: Tiers = msgspec.field(default_factory=list)
    package_size: Units | None = None
    billing_interval: BillingInterval = BillingInterval.MONTH

    def to_terms(self, place: str) -> PriceTerms:
        """The price it describes."""
        return PriceTerms(
            model=self.pricing_model,
            unit_amount=_one_amount(
                self.amount_cents, self.unit_amount_decimal, f"{place}.amountCents"
            ),
            tiers=_tiers(self.tiers, f"{place}.tiers"),
            package_size=self.package_size,
            meter_id=self.meter_id,
            interval=self.billing_interval,
            name=self.name,
        )


Charges = Annotated[list[ChargeBody], Meta(max_length=CHARGES_MAX)]


class NewPlan(Body, frozen=True):
    """A plan to publish; with a meter, its own price is for what was used."""

    name: ShortText
    pricing_model: PricingModel
    billing_interval: BillingInterval
    description: Text500 | None = None
    amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    tiers: Tiers = msgspec.field(default_factory=list)
    package_size: Units | None = None
    meter_id: MeterRef | None = None
    charges: Charges = msgspec.field(default_factory=list)
    trial_period_days: TrialDays = 0
    currency: CurrencyCode | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreatePlan:
        """What it asks for."""
        own = PriceTerms(
            model=self.pricing_model,
            unit_amount=_one_amount(self.amount_cents, self.unit_amount_decimal, "amountCents"),
            tiers=_tiers(self.tiers, "tiers"),
            package_size=self.package_size,
            meter_id=self.meter_id,
            interval=self.billing_interval,
        )
        return CreatePlan(
            name=self.name,
            description=self.description,
            interval=self.billing_interval,
            terms=(own, *_charges(self.charges)),
            trial_days=self.trial_period_days,
            currency=self.currency,
            metadata=self.metadata,
        )


class PlanPatch(Body, frozen=True):
    """What to change. Another `pricingModel` starts a new price; `charges` replaces all of them."""

    name: ShortText | UnsetType = UNSET
    description: Text500 | UnsetType | None = UNSET
    trial_period_days: TrialDays | UnsetType = UNSET
    pricing_model: PricingModel | UnsetType = UNSET
    amount_cents: AmountCents | UnsetType = UNSET
    unit_amount_decimal: AmountDecimal | UnsetType = UNSET
    tiers: Tiers | UnsetType = UNSET
    package_size: Units | UnsetType | None = UNSET
    meter_id: MeterRef | UnsetType | None = UNSET
    charges: Charges | UnsetType = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET

    def price_changes(self) -> dict[str, Any]:
        """What changes in the plan's own price."""
        changes: dict[str, Any] = {
            "model": self.pricing_model,
            "package_size": self.package_size,
            "meter_id": self.meter_id,
        }
        if not isinstance(self.tiers, UnsetType):
            changes["tiers"] = _tiers(self.tiers, "tiers")
        unit_amount = _one_amount(self.amount_cents, self.unit_amount_decimal, "amountCents")
        if unit_amount is not None:
            changes["unit_amount"] = unit_amount
        return {name: value for name, value in changes.items() if value is not UNSET}


class PlanQuery(CreatedQuery, frozen=True):
    """Which plans; `status` may name several, `q` is part of a name."""

    status: Values | None = None
    q: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


def _one_amount(cents: int | UnsetType, exact: str | UnsetType, field: str) -> Decimal | None:
    if isinstance(cents, int) and isinstance(exact, str):
        raise InvalidInput.at(field, "is given twice, whole and as a decimal", "ambiguous")
    if isinstance(exact, str):
        return Decimal(exact)
    return Decimal(cents) if isinstance(cents, int) else None


def _tiers(tiers: list[TierBody], place: str) -> tuple[Tier, ...]:
    return tuple(tier.to_tier(f"{place}[{position}]") for position, tier in enumerate(tiers))


def _charges(charges: list[ChargeBody]) -> tuple[PriceTerms, ...]:
    return tuple(each.to_terms(f"charges[{place}]") for place, each in enumerate(charges))


def _id(call: Call[Any, Any]) -> PlanId:
    return PlanId(call.id("planId"))


@ROOM.post("", Terms(needs=Permission.PLAN_WRITE, takes=NewPlan, gives=PlanOut, status=201))
async def create_one_plan(call: Call[NewPlan, NoQuery]) -> Answer:
    """Create a plan.

    `flat_rate` is one amount; `per_unit` is an amount for each unit; `graduated` and `volume` have
    `tiers`; `package` is an amount for each begun package of `packageSize`. `charges` are metered
    and come on top.
    """
    command = call.body.to_command()
    return await changed(call.caller, create_plan, command, created(PlanOut.of, ROOM.prefix))


@ROOM.get("", Terms(needs=Permission.PLAN_READ, gives=PlanOut, is_list=True, query=PlanQuery))
async def list_plans(call: Call[None, PlanQuery]) -> Answer:
    """List plans, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = PlanFilters(
        statuses=several(query.status, PlanStatus, PlanStatus, field="status"),
        text=query.q,
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(plans_look, page, filters)
    return piece(call.caller, page, shown, PlanOut.of)


@ROOM.get("/{planId}", Terms(needs=Permission.PLAN_READ, gives=PlanOut, refuses=(NotFound,)))
async def get_plan(call: Call[None, NoQuery]) -> Answer:
    """Get a plan with its current prices."""
    return resource(PlanOut.of(await call.caller.look(plan_look, _id(call))))


@ROOM.patch(
    "/{planId}",
    Terms(
        needs=Permission.PLAN_WRITE,
        takes=PlanPatch,
        gives=PlanOut,
        is_versioned=True,
        refuses=(NotFound, IllegalTransition, PreconditionFailed, StaleVersion),
    ),
)
async def edit_plan(call: Call[PlanPatch, NoQuery]) -> Answer:
    """Change a plan.

    A JSON merge patch. Other prices make a new `priceVersion`; subscriptions that run keep the one
    they have. An archived plan is never edited.
    """
    changes, version = _changes(call.body), call.expected_version
    before, patch = None, call.body.metadata
    if not isinstance(patch, UnsetType):
        before = await peeked(call.caller.look(plan_look, _id(call)))
    if before is not None and not isinstance(patch, UnsetType):
        changes["metadata"] = merged(before.metadata, patch, "metadata")
        version = before.version if version is None else version
    charges = call.body.charges
    command = UpdatePlan(
        _id(call),
        changes,
        call.body.price_changes(),
        None if isinstance(charges, UnsetType) else _charges(charges),
        version,
    )
    async with raced(is_expected=call.expected_version is not None):
        return await changed(call.caller, update_plan, command, found(PlanOut.of))


@ROOM.post(
    "/{planId}/archive",
    Terms(
        needs=Permission.PLAN_WRITE,
        takes=Nothing,
        gives=PlanOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def archive_one_plan(call: Call[Nothing, NoQuery]) -> Answer:
    """Archive a plan.

    Nobody subscribes to it any more and nobody edits it; running subscriptions go on.
    """
    return await changed(call.caller, archive_plan, ArchivePlan(_id(call)), found(PlanOut.of))


def _changes(patch: PlanPatch) -> dict[str, Any]:
    given = named(patch)
    changes: dict[str, Any] = {}
    for name in ("name", "description"):
        if name in given:
            changes[name] = given[name]
    if "trial_period_days" in given:
        changes["trial_days"] = given["trial_period_days"]
    return changes
