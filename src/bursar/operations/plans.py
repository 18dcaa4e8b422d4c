"""Plans: publish, edit, archive."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.catalog import Plan, PlanStatus, publish
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import PlanId, PriceId
from bursar.domain.pricing import BillingInterval, Price, PriceTerms, price
from bursar.domain.refusals import InvalidInput, PreconditionFailed
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import orgs, plans
from bursar.store.apply import apply


class CreatePlan(Struct, frozen=True, kw_only=True):
    """A plan; the first of the terms are its own price, the others charges on top of it."""

    name: str
    description: str | None = None
    interval: BillingInterval
    terms: tuple[PriceTerms, ...]
    trial_days: int = 0
    currency: Currency | None = None
    metadata: dict[str, str]


@operation(requires=Permission.PLAN_WRITE)
async def create_plan(tx: Tx, command: CreatePlan) -> Plan:
    """A new plan; the currency defaults to the organization's.

    Raises:
        InvalidInput: the prices make no sense, or count with an unknown meter.
    """
    prices = await _priced(tx, command.terms)
    organization = await orgs.get(tx)
    plan = Plan(
        id=PlanId(tx.new_id("plan")),
        name=command.name,
        description=command.description,
        status=PlanStatus.ACTIVE,
        currency=command.currency or organization.currency,
        interval=command.interval,
        trial_days=command.trial_days,
        price_version=1,
        prices=prices,
        metadata=command.metadata,
        archived_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return await _written(tx, plan, publish(plan))


class UpdatePlan(Struct, frozen=True):
    """Fields to change, by their names in `Plan`; the price's own by theirs in `PriceTerms`.

    `charges` replaces all of them.
    """

    plan_id: PlanId
    changes: Mapping[str, Any]
    price_changes: Mapping[str, Any]
    charges: tuple[PriceTerms, ...] | None = None
    expected_version: int | None = None


@operation(requires=Permission.PLAN_WRITE)
async def update_plan(tx: Tx, command: UpdatePlan) -> Plan:
    """Change a plan; another price is a new version, and running subscriptions keep theirs.

    Raises:
        IllegalTransition: the plan is archived.
        PreconditionFailed: another version than the expected one.
        InvalidInput: the prices make no sense.
    """
    plan = await plans.get(tx, command.plan_id)
    if command.expected_version not in {None, plan.version}:
        raise PreconditionFailed(f"{plan.id} is at version {plan.version}.")
    after = replace(plan, **command.changes)
    if not command.price_changes and command.charges is None:
        return await _written(tx, plan, plan.edit(after))
    own = _repriced(plan.own_price.terms, command.price_changes)
    charges = command.charges
    if charges is None:
        charges = tuple(charge.terms for charge in plan.charges)
    return await _written(tx, plan, plan.edit(after, await _priced(tx, (own, *charges))))


class ArchivePlan(Struct, frozen=True):
    """Take a plan out of the catalog."""

    plan_id: PlanId


@operation(requires=Permission.PLAN_WRITE)
async def archive_plan(tx: Tx, command: ArchivePlan) -> Plan:
    """Nobody subscribes to it any more; running subscriptions go on.

    Raises:
        IllegalTransition: archived already.
    """
    plan = await plans.get(tx, command.plan_id)
    return await _written(tx, plan, plan.archive(tx.now))


def _repriced(terms: PriceTerms, changes: Mapping[str, Any]) -> PriceTerms:
    """The terms after a change; another model starts from nothing but the meter."""
    if changes.get("model", terms.model) is not terms.model:
        terms = PriceTerms(terms.model, meter_id=terms.meter_id, interval=terms.interval)
    return replace(terms, **changes)


async def _priced(tx: Tx, terms: Sequence[PriceTerms]) -> tuple[Price, ...]:
    places = ["", *(f"charges[{position}]." for position in range(len(terms) - 1))]
    wanted = {place: each.meter_id for place, each in zip(places, terms, strict=True)}
    known = await plans.known_meters(tx, [found for found in wanted.values() if found is not None])
    for place, meter_id in wanted.items():
        if meter_id is not None and meter_id not in known:
            raise InvalidInput.at(f"{place}meterId", "is no meter of yours", "unknown_meter")
    return tuple(
        price(PriceId(tx.new_id("price")), each, place)
        for place, each in zip(places, terms, strict=True)
    )


async def _written(tx: Tx, plan: Plan, change: Change | None) -> Plan:
    if change is None:
        return plan
    written = (await apply(tx, change))[plan.id]
    assert isinstance(written, Plan)
    return written
