"""Figures of random lives: at every instant what the books and the subscriptions say."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.support.world import Org, World

from bursar.domain.analytics import Measure
from bursar.domain.ids import SubscriptionId, uuid_of
from bursar.domain.mrr import monthly
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.domain.refusals import Refusal
from bursar.domain.reports import MRR_MEASURES, Asked, Interval, Sums, mrr_of
from bursar.jobs import dispatch
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import (
    CancelSubscription,
    CreateSubscription,
    StepSubscription,
    UpdateSubscription,
    cancel_subscription,
    create_subscription,
    pause_subscription,
    reactivate_subscription,
    resume_subscription,
    update_subscription,
)
from bursar.reads.analytics import report
from bursar.reads.plans import plan as plan_look
from bursar.reads.subscriptions import subscription as subscription_look
from bursar.reads.verify import checks

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.lists(
    st.sampled_from(["more", "less", "pause", "resume", "cancel", "back", "later", "fold"]),
    min_size=1,
    max_size=10,
)


async def step(org: Org, subscription_id: SubscriptionId, name: str, quantity: int) -> None:
    """One step; what its state does not allow changes nothing."""
    own = StepSubscription(subscription_id)
    wanted = UpdateSubscription(
        subscription_id=subscription_id, quantity=quantity + 2 if name == "more" else 1
    )
    away = CancelSubscription(subscription_id=subscription_id, at_period_end=False)
    try:
        match name:
            case "more" | "less":
                await org.caller.run(update_subscription, wanted)
            case "pause":
                await org.caller.run(pause_subscription, own)
            case "resume":
                await org.caller.run(resume_subscription, own)
            case "cancel":
                await org.caller.run(cancel_subscription, away)
            case "back":
                await org.caller.run(reactivate_subscription, own)
            case "later":
                await org.advance("3 weeks")
            case _:
                await dispatch.add_up_figures(org.world.app)
    except Refusal:
        return


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(STEPS, st.integers(1, 5))
async def test_recurring_revenue_is_what_is_charged_for(
    world: World, steps: list[str], quantity: int
) -> None:
    # After every step the sum of all movements is the worth of the subscription, worked out anew.
    org = await world.org()
    await org.freeze(START)
    terms = PriceTerms(PricingModel.PER_UNIT, Decimal("333.3"))
    command = CreatePlan(name="P", interval=BillingInterval.MONTH, terms=(terms,), metadata={})
    plan = await org.caller.run(create_plan, command)
    wish = CreateSubscription(
        customer_id=(await org.customer(None)).id, plan_id=plan.id, quantity=quantity
    )
    subscription_id = (await org.caller.run(create_subscription, wish)).subscription.id
    for name in ["none", *steps]:
        if name != "none":
            await step(org, subscription_id, name, quantity)
        found = await org.caller.look(subscription_look, subscription_id)
        known = await org.caller.look(plan_look, plan.id)
        charged = found.charged if found.is_running else None
        worth = 0 if charged is None else monthly(known, charged.quantity, ()).minor
        told = await org.caller.look(report, Asked(), (*MRR_MEASURES, Measure.SUBSCRIBERS_GAINED))
        assert mrr_of(told.before) + sum(map(mrr_of, told.pieces)) == worth, name
    await world.drain()
    wrong = [each for each in await world.operator(org.id).look(checks) if not each.is_good]
    assert wrong == []


async def test_reports_of_months_are_the_sums_of_their_days(world: World) -> None:
    # Whatever was added up by now and whatever was not, whole months and parts of them alike.
    org = await world.org()
    chance, booked = Random(7), Counter[date]()
    for _ in range(3):
        days = [date(2024, 11, 20) + timedelta(days=chance.randrange(120)) for _ in range(20)]
        await appended(org, days)
        booked.update(days)
        for start, end in pairwise([date(2024, 12, 1), *sorted(chance.sample(days, 3))]):
            for interval in Interval:
                asked = Asked(start, max(end, start + timedelta(days=1)), interval)
                told = await org.caller.look(report, asked, (Measure.VOIDED,))
                before = sum(count for day, count in booked.items() if day < start)
                assert told.before[Measure.VOIDED] == Sums(5 * before, before)
                assert [piece[Measure.VOIDED].count for piece in told.pieces] == [
                    sum(count for day, count in booked.items() if first <= day < following)
                    for first, following in pairwise([*told.span.pieces(), told.span.end])
                ]
        await dispatch.add_up_figures(world.app)
    wrong = [each for each in await world.operator(org.id).look(checks) if not each.is_good]
    assert wrong == []


async def appended(org: Org, days: Sequence[date]) -> None:
    """One figure of five cents on each of these days."""
    connection = await org.world.house.as_owner()
    try:
        await connection.execute(
            "INSERT INTO figures (org_id, measure, currency, day, amount_minor, count)"
            " SELECT $1, 'voided', 'usd', day, 5, 1 FROM unnest($2::date[]) AS day",
            uuid_of(org.id),
            list(days),
        )
    finally:
        await connection.close()
