"""`bursar subscription`: what customers agreed to, and what a change would cost."""

from datetime import datetime
from typing import Annotated

import typer

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import OldestFirst, Plan, Since, Until, customer_of, plan_of, utc
from bursar.cli.output import Format, Output, show_list, show_one
from bursar.domain.agreements import Proration
from bursar.domain.ids import CouponId, CustomerId, PlanId, SubscriptionId
from bursar.domain.refusals import InvalidInput
from bursar.domain.shapes.subscriptions import (
    PendingLineOut,
    SteppedSubscriptionOut,
    SubscriptionOut,
)
from bursar.domain.subscriptions import SubscriptionStatus
from bursar.operations.subscriptions import (
    CancelSubscription,
    ChangePlan,
    CreateSubscription,
    Stepped,
    StepSubscription,
    TrialWish,
    UpdateSubscription,
    cancel_subscription,
    change_plan,
    create_subscription,
    pause_subscription,
    reactivate_subscription,
    resume_subscription,
    update_subscription,
)
from bursar.reads.subscriptions import (
    SubscriptionFilters,
    subscription,
    subscriptions,
    waiting_lines,
)

group = typer.Typer(help="Subscriptions.", no_args_is_help=True)

_COLUMNS = ("id", "customerId", "planId", "status", "quantity", "currentPeriodEnd")
_LINE_COLUMNS = ("id", "kind", "description", "amountCents", "currency", "dueAt")

Customer = Annotated[str | None, typer.Option(help="Only this customer's (cust_…).")]
How = Annotated[Proration, typer.Option(help="What becomes of the current period's price.")]
Quantity = Annotated[int | None, typer.Option(min=1, help="How many; else it stays.")]
Coupons = Annotated[list[str] | None, typer.Option("--coupon", help="A coupon (cpn_…), in order.")]


@group.command("list")
def list_subscriptions(
    context: typer.Context,
    *,
    org: Org = None,
    customer: Customer = None,
    status: Annotated[list[SubscriptionStatus] | None, typer.Option(help="Only these.")] = None,
    plan: Plan = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List subscriptions, newest first."""
    filters = SubscriptionFilters(
        customer_id=customer_of(customer),
        plan_id=plan_of(plan),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(subscriptions, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([SubscriptionOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_subscription(
    context: typer.Context, subscription_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one subscription."""
    known = _id(subscription_id)
    found = desk(context).ask(lambda caller: caller.look(subscription, known), org=org)
    show_one(SubscriptionOut.of(found), output)


@group.command("lines")
def list_waiting_lines(
    context: typer.Context,
    subscription_id: str,
    *,
    org: Org = None,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List what waits for its next invoice, newest first."""
    known = _id(subscription_id)
    found = desk(context).gather(
        lambda caller, page: caller.look(waiting_lines, known, page), limit, org=org
    )
    show_list([PendingLineOut.of(each) for each in found], _LINE_COLUMNS, output)


@group.command("create")
def create_one_subscription(
    context: typer.Context,
    *,
    customer: Annotated[str, typer.Option(help="Who subscribes (cust_…).")],
    plan: Annotated[str, typer.Option(help="To what (plan_…).")],
    quantity: Annotated[int, typer.Option(min=1, help="How many of it.")] = 1,
    anchor_day: Annotated[
        int | None, typer.Option(min=1, max=28, help="The day of the month periods begin on.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(help="A day it begins with; else today.")
    ] = None,
    no_trial: Annotated[bool, typer.Option("--no-trial", help="Pay from the first day.")] = False,
    coupon: Coupons = None,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Subscribe a customer to a plan."""
    command = CreateSubscription(
        customer_id=_customer_id(customer),
        plan_id=_plan_id(plan),
        quantity=quantity,
        anchor_day=anchor_day,
        start_at=None if start is None else start.astimezone(),
        trial=TrialWish(None) if no_trial else None,
        coupon_ids=_coupon_ids(coupon or []),
    )
    made = desk(context).ask(
        lambda caller: caller.run(create_subscription, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(made, output)


@group.command("update")
def update_one_subscription(
    context: typer.Context,
    subscription_id: str,
    *,
    quantity: Quantity = None,
    proration: How = Proration.CREATE,
    coupon: Coupons = None,
    no_coupons: Annotated[bool, typer.Option("--no-coupons", help="Take them all away.")] = False,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Change how many there are, or its coupons; the prices stay as they were agreed to."""
    if no_coupons and coupon:
        raise InvalidInput.at("--no-coupons", "goes without --coupon", "ambiguous")
    command = UpdateSubscription(
        subscription_id=_id(subscription_id),
        coupon_ids=_coupon_ids(coupon or []) if coupon or no_coupons else None,
        quantity=quantity,
        proration=proration,
    )
    done = desk(context).ask(
        lambda caller: caller.run(update_subscription, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


@group.command("change-plan")
def change_plan_of_one(
    context: typer.Context,
    subscription_id: str,
    *,
    plan: Annotated[str, typer.Option(help="To what (plan_…), at its current prices.")],
    quantity: Quantity = None,
    proration: How = Proration.CREATE,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Change the plan; --dry-run shows the lines it would leave."""
    command = ChangePlan(
        subscription_id=_id(subscription_id),
        plan_id=_plan_id(plan),
        quantity=quantity,
        proration=proration,
    )
    done = desk(context).ask(
        lambda caller: caller.run(change_plan, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


@group.command("cancel")
def cancel_one_subscription(
    context: typer.Context,
    subscription_id: str,
    *,
    now: Annotated[bool, typer.Option("--now", help="At once; else with its period.")] = False,
    credit: Annotated[
        bool, typer.Option("--credit", help="With --now: give back what is left of the period.")
    ] = False,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Cancel a subscription; the reason stands on it, too."""
    command = CancelSubscription(
        subscription_id=_id(subscription_id),
        at_period_end=not now,
        is_credited=credit,
        reason=reason,
    )
    confirm(f"Cancel {subscription_id}?", is_agreed=yes or dry_run)
    done = desk(context).ask(
        lambda caller: caller.run(cancel_subscription, command),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


@group.command("pause")
def pause_one_subscription(
    context: typer.Context,
    subscription_id: str,
    *,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Pause: nothing is due until it is resumed."""
    step = StepSubscription(_id(subscription_id))
    done = desk(context).ask(
        lambda caller: caller.run(pause_subscription, step),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


@group.command("resume")
def resume_one_subscription(
    context: typer.Context,
    subscription_id: str,
    *,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Go on after a pause."""
    step = StepSubscription(_id(subscription_id))
    done = desk(context).ask(
        lambda caller: caller.run(resume_subscription, step),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


@group.command("reactivate")
def reactivate_one_subscription(
    context: typer.Context,
    subscription_id: str,
    *,
    dry_run: DryRun = False,
    org: Org = None,
    reason: Reason = None,
    output: Output = None,
) -> None:
    """Take a cancellation back, in time."""
    step = StepSubscription(_id(subscription_id))
    done = desk(context).ask(
        lambda caller: caller.run(reactivate_subscription, step),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    _show(done, output)


def _show(stepped: Stepped, output: Format | None) -> None:
    show_one(SteppedSubscriptionOut.after(stepped.subscription, stepped.lines), output)


def _id(text: str) -> SubscriptionId:
    return SubscriptionId(an_id(text, prefix="sub", name="subscription_id"))


def _customer_id(text: str) -> CustomerId:
    return CustomerId(an_id(text, prefix="cust", name="--customer"))


def _plan_id(text: str) -> PlanId:
    return PlanId(an_id(text, prefix="plan", name="--plan"))


def _coupon_ids(texts: list[str]) -> tuple[CouponId, ...]:
    return tuple(CouponId(an_id(each, prefix="cpn", name="--coupon")) for each in texts)
