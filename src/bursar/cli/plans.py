"""`bursar plan`: what can be subscribed to."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, Reason, Yes, an_id, confirm, desk, known_currency
from bursar.cli.narrowing import OldestFirst, Since, Until, utc
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.catalog import PlanStatus
from bursar.domain.ids import MeterId, PlanId
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.plans import PlanOut
from bursar.operations.plans import ArchivePlan, CreatePlan, archive_plan, create_plan
from bursar.reads.plans import PlanFilters, plan, plans

group = typer.Typer(help="Plans.", no_args_is_help=True)

_COLUMNS = ("id", "name", "status", "pricingModel", "amountCents", "billingInterval")
_TIER_PARTS = 3
_PLACES_MAX = 12
_BEYOND = 10**16


@group.command("list")
def list_plans(
    context: typer.Context,
    *,
    org: Org = None,
    status: Annotated[list[PlanStatus] | None, typer.Option(help="Only these.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of a name.")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List plans, newest first."""
    filters = PlanFilters(
        statuses=tuple(status or ()),
        text=search,
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(plans, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([PlanOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_plan(
    context: typer.Context, plan_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one plan with its current prices."""
    known = _id(plan_id)
    found = desk(context).ask(lambda caller: caller.look(plan, known), org=org)
    show_one(PlanOut.of(found), output)


@group.command("create")
def create_one_plan(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option()],
    amount: Annotated[
        str | None, typer.Option(help="In minor units; 0.25 is a quarter of a cent.")
    ] = None,
    model: Annotated[PricingModel, typer.Option(help="How it is priced.")] = PricingModel.FLAT_RATE,
    interval: Annotated[
        BillingInterval, typer.Option(help="How long a period is.")
    ] = BillingInterval.MONTH,
    tier: Annotated[
        list[str] | None,
        typer.Option(help="UP_TO:UNIT_AMOUNT[:FLAT_AMOUNT]; UP_TO of the last one is `inf`."),
    ] = None,
    package_size: Annotated[int | None, typer.Option(min=1, help="Units in a package.")] = None,
    meter: Annotated[str | None, typer.Option(help="The meter it counts with (mtr_…).")] = None,
    trial_days: Annotated[int, typer.Option(min=0, max=730, help="Free days at first.")] = 0,
    currency: Annotated[str | None, typer.Option(help="Else the organization's.")] = None,
    description: Annotated[str | None, typer.Option()] = None,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Publish a plan; charges on top of it are added over the API."""
    terms = PriceTerms(
        model=model,
        unit_amount=None if amount is None else _amount(amount, "--amount"),
        tiers=tuple(_tier(text) for text in tier or ()),
        package_size=package_size,
        meter_id=None if meter is None else MeterId(an_id(meter, prefix="mtr", name="--meter")),
        interval=interval,
    )
    command = CreatePlan(
        name=name,
        description=description,
        interval=interval,
        terms=(terms,),
        trial_days=trial_days,
        currency=known_currency(currency),
        metadata={},
    )
    made = desk(context).ask(
        lambda caller: caller.run(create_plan, command), org=org, reason=reason
    )
    show_one(PlanOut.of(made), output)


@group.command("archive")
def archive(
    context: typer.Context,
    plan_id: str,
    *,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Take a plan out of the catalog; running subscriptions go on."""
    command = ArchivePlan(_id(plan_id))
    confirm(f"Archive {plan_id}?", is_agreed=yes)
    done = desk(context).ask(
        lambda caller: caller.run(archive_plan, command), org=org, reason=reason
    )
    show_one(PlanOut.of(done), output)


def _id(text: str) -> PlanId:
    return PlanId(an_id(text, prefix="plan", name="plan_id"))


def _amount(text: str, field: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise InvalidInput.at(field, "expected a number of minor units") from None
    places = amount.as_tuple().exponent
    if not isinstance(places, int) or -places > _PLACES_MAX or not 0 <= amount < _BEYOND:
        raise InvalidInput.at(field, "expected at most 16 digits and 12 decimals", "out_of_range")
    return amount


def _tier(text: str) -> Tier:
    parts = text.split(":")
    if not 1 < len(parts) <= _TIER_PARTS or not (parts[0] == "inf" or parts[0].isdecimal()):
        raise InvalidInput.at("--tier", "expected UP_TO:UNIT_AMOUNT[:FLAT_AMOUNT]")
    up_to = None if parts[0] == "inf" else int(parts[0])
    flat = _amount(parts[2], "--tier") if len(parts) == _TIER_PARTS else Decimal(0)
    if flat != flat.to_integral_value():
        raise InvalidInput.at("--tier", "a flat amount is whole")
    return Tier(up_to, _amount(parts[1], "--tier"), flat)
