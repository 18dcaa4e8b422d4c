"""Plans: versions of prices, what may be charged together, and the end of a plan."""

from decimal import Decimal

import pytest
from tests.domain.nouns import AT, the, told

from bursar.domain import catalog, meters
from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, PriceId
from bursar.domain.meters import Aggregation
from bursar.domain.pricing import BillingInterval, Price, PriceTerms, PricingModel, price
from bursar.domain.refusals import IllegalTransition, InvalidInput
from bursar.domain.shapes.samples import METER, PLAN


def a_price(amount: int, number: int = 1, **terms: object) -> Price:
    wanted = PriceTerms(PricingModel.PER_UNIT, Decimal(amount))
    return price(PriceId(f"price_{number}"), replace(wanted, **terms))  # type: ignore[arg-type]  # fields by name


def a_plan(**changes: object) -> Plan:
    plan = replace(PLAN, prices=(a_price(1000),))
    return replace(plan, **changes)  # type: ignore[arg-type]  # fields by name


def test_another_price_is_another_version() -> None:
    # The new prices stand in a version of their own, told as one fact.
    change = a_plan().edit(a_plan(), (a_price(1200, 2),))
    after = the(Plan, change)
    assert (after.price_version, after.version) == (2, 2)
    assert after.own_price.terms.unit_amount == 1200
    assert told(change) == ["plan.updated"]


def test_the_same_terms_are_no_new_version() -> None:
    # Whatever id they come under: nothing changed, so nothing is told.
    assert a_plan().edit(a_plan(), (a_price(1000, 9),)) is None
    renamed = the(Plan, a_plan().edit(a_plan(name="Else"), (a_price(1000, 9),)))
    assert (renamed.price_version, renamed.own_price.id) == (1, "price_1")


def test_an_archived_plan_rests() -> None:
    # It is neither edited nor archived again; the refusal tells the state and what it allows.
    archived = the(Plan, a_plan().archive(AT))
    assert (archived.status, archived.archived_at) == (PlanStatus.ARCHIVED, AT)
    with pytest.raises(IllegalTransition) as refused:
        archived.edit(replace(archived, name="Else"))
    assert refused.value.facts == {"currentStatus": "archived", "allowedTransitions": []}
    with pytest.raises(IllegalTransition):
        archived.archive(AT)


@pytest.mark.parametrize("status", PlanStatus)
@pytest.mark.parametrize("wanted", PlanStatus)
def test_every_step(status: PlanStatus, wanted: PlanStatus) -> None:
    # Only the steps of the table exist.
    plan = a_plan(status=status)
    if wanted in catalog.TRANSITIONS[status]:
        assert plan.to(wanted).status is wanted
        return
    with pytest.raises(IllegalTransition):
        plan.to(wanted)


def test_a_base_fee_and_charges() -> None:
    # A plan may charge by month what it bills by year, and never the other way round.
    monthly = a_price(5, 2, meter_id=MeterId("mtr_1"))
    yearly = a_price(5, 3, meter_id=MeterId("mtr_2"), interval=BillingInterval.YEAR)
    base = a_price(9900, interval=BillingInterval.YEAR)
    plan = a_plan(interval=BillingInterval.YEAR, prices=(base, monthly, yearly))
    assert told(catalog.publish(plan)) == ["plan.created"]
    assert plan.metered == (monthly, yearly) == plan.charges
    with pytest.raises(InvalidInput) as refused:
        catalog.publish(a_plan(prices=(a_price(1), yearly)))
    assert refused.value.details[0].field == "charges[0].billingInterval"


def test_nothing_is_charged_for_twice() -> None:
    # One meter, one charge: the plan's own price counts too.
    metered = a_price(5, meter_id=MeterId("mtr_1"))
    with pytest.raises(InvalidInput) as refused:
        catalog.publish(a_plan(prices=(metered, metered)))
    assert refused.value.details[0].field == "charges[0].meterId"
    many = tuple(
        a_price(1, at, meter_id=MeterId(f"mtr_{at}")) for at in range(catalog.CHARGES_MAX + 2)
    )
    with pytest.raises(InvalidInput):
        catalog.publish(a_plan(prices=many))


@pytest.mark.parametrize(
    ("aggregation", "name", "field"),
    [
        (Aggregation.UNIQUE, None, "property"),
        (Aggregation.COUNT, "region", "property"),
    ],
)
def test_meters_that_make_no_sense(aggregation: Aggregation, name: str | None, field: str) -> None:
    # What differs has a name; a count looks at nothing.
    meter = replace(METER, aggregation=aggregation, property_name=name)
    with pytest.raises(InvalidInput) as refused:
        meters.define(meter)
    assert refused.value.details[0].field == field


@pytest.mark.parametrize("thresholds", [(2, 1), (1, 1)])
def test_thresholds_rise(thresholds: tuple[int, ...]) -> None:
    # Twice the same one would be told twice.
    with pytest.raises(InvalidInput):
        meters.define(replace(METER, thresholds=thresholds))
