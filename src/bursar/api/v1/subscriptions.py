"""`/v1/subscriptions`: what customers agreed to pay for, again and again."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    Body,
    CouponRef,
    CustomerRef,
    DryRun,
    Metadata,
    MetadataPatch,
    Moment,
    NoQuery,
    Nothing,
    PlanRef,
    Quantity,
    Text500,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.merging import merged, peeked, raced
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.agreements import Proration
from bursar.domain.calendars import ANCHOR_DAY_MAX
from bursar.domain.ids import CouponId, SubscriptionId
from bursar.domain.refusals import (
    AlreadySubscribed,
    CouponIsArchived,
    GraceIsOver,
    IllegalTransition,
    LimitReached,
    NotFound,
    PlanIsArchived,
    PreconditionFailed,
    StaleVersion,
)
from bursar.domain.shapes.subscriptions import (
    PendingLineOut,
    SteppedSubscriptionOut,
    SubscriptionOut,
)
from bursar.domain.subscriptions import SubscriptionStatus
from bursar.operations.subscriptions import (
    COUPONS_MAX,
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
from bursar.reads.subscriptions import SubscriptionFilters
from bursar.reads.subscriptions import subscription as subscription_look
from bursar.reads.subscriptions import subscriptions as subscriptions_look
from bursar.reads.subscriptions import waiting_lines as waiting_lines_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Subscriptions",
    prefix="/v1/subscriptions",
    about="What a customer pays for again and again: a plan, how many of it, and since when.",
)

AnchorDay = Annotated[int, Meta(ge=1, le=ANCHOR_DAY_MAX, examples=[1])]
CouponIds = Annotated[list[CouponRef], Meta(max_length=COUPONS_MAX)]


class NewSubscription(Body, frozen=True):
    """A subscription to create. `couponId` comes before `couponIds`; `trialEnd: null` is none."""

    customer_id: CustomerRef
    plan_id: PlanRef
    quantity: Quantity = 1
    billing_anchor_day: AnchorDay | None = None
    start_date: Moment | None = None
    trial_end: Moment | UnsetType | None = UNSET
    coupon_id: CouponRef | UnsetType | None = UNSET
    coupon_ids: CouponIds | UnsetType = UNSET
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateSubscription:
        """What it asks for."""
        trial = None
        if not isinstance(self.trial_end, UnsetType):
            trial = TrialWish(Moment.plainly(self.trial_end))
        return CreateSubscription(
            customer_id=self.customer_id,
            plan_id=self.plan_id,
            quantity=self.quantity,
            anchor_day=self.billing_anchor_day,
            start_at=Moment.plainly(self.start_date),
            trial=trial,
            coupon_ids=_coupon_ids(self.coupon_id, self.coupon_ids) or (),
            metadata=self.metadata,
        )


class SubscriptionPatch(Body, frozen=True):
    """What to change. Coupons replace those it has, from the next period on."""

    quantity: Quantity | UnsetType = UNSET
    proration: Proration = Proration.CREATE
    coupon_id: CouponRef | UnsetType | None = UNSET
    coupon_ids: CouponIds | UnsetType = UNSET
    metadata: MetadataPatch | UnsetType | None = UNSET


class Cancellation(Body, frozen=True):
    """When it ends: with the period, or now; then what is left of the period may be given back."""

    at_period_end: bool = True
    credit_unused_time: bool = False
    reason: Text500 | None = None

    def to_command(self, subscription_id: SubscriptionId) -> CancelSubscription:
        """What it asks for."""
        return CancelSubscription(
            subscription_id=subscription_id,
            at_period_end=self.at_period_end,
            is_credited=self.credit_unused_time,
            reason=self.reason,
        )


class PlanChange(Body, frozen=True):
    """Another plan at its current prices; the same plan means its current prices."""

    plan_id: PlanRef
    quantity: Quantity | None = None
    proration: Proration = Proration.CREATE


class SubscriptionQuery(CreatedQuery, frozen=True):
    """Which subscriptions; `status` may name several."""

    customer_id: CustomerRef | None = None
    plan_id: PlanRef | None = None
    status: Values | None = None


def _after(stepped: Stepped) -> SteppedSubscriptionOut:
    return SteppedSubscriptionOut.after(stepped.subscription, stepped.lines)


_SHOWN = found(_after)


def _coupon_ids(
    one: CouponId | UnsetType | None, several_ids: list[CouponId] | UnsetType
) -> tuple[CouponId, ...] | None:
    """Both fields together, or None when neither is there."""
    if isinstance(one, UnsetType) and isinstance(several_ids, UnsetType):
        return None
    alone = () if isinstance(one, UnsetType) or one is None else (one,)
    listed = () if isinstance(several_ids, UnsetType) else several_ids
    return (*alone, *(each for each in listed if each not in alone))


def _id(call: Call[Any, Any]) -> SubscriptionId:
    return SubscriptionId(call.id("subscriptionId"))


@ROOM.post(
    "",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=NewSubscription,
        gives=SteppedSubscriptionOut,
        status=201,
        query=DryRun,
        refuses=(NotFound, PlanIsArchived, AlreadySubscribed, CouponIsArchived),
    ),
)
async def create_one_subscription(call: Call[NewSubscription, DryRun]) -> Answer:
    """Create a subscription.

    It begins with a civil day of the organization: today, or that of `startDate`, up to a year ago
    or two ahead. A first period that is shorter than the plan's costs its part. It is `trialing`
    while the plan's trial, or the one that ends with `trialEnd`, goes on. A customer has one
    running subscription to a plan.
    """
    reply = created(_after, ROOM.prefix)
    return await changed(call.caller, create_subscription, call.body.to_command(), reply)


@ROOM.get(
    "",
    Terms(
        needs=Permission.SUBSCRIPTION_READ,
        gives=SubscriptionOut,
        is_list=True,
        query=SubscriptionQuery,
    ),
)
async def list_subscriptions(call: Call[None, SubscriptionQuery]) -> Answer:
    """List subscriptions, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = SubscriptionFilters(
        customer_id=query.customer_id,
        plan_id=query.plan_id,
        statuses=several(query.status, SubscriptionStatus, SubscriptionStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(subscriptions_look, page, filters)
    return piece(call.caller, page, shown, SubscriptionOut.of)


@ROOM.get(
    "/{subscriptionId}",
    Terms(needs=Permission.SUBSCRIPTION_READ, gives=SubscriptionOut, refuses=(NotFound,)),
)
async def get_subscription(call: Call[None, NoQuery]) -> Answer:
    """Get a subscription."""
    return resource(SubscriptionOut.of(await call.caller.look(subscription_look, _id(call))))


@ROOM.get(
    "/{subscriptionId}/pending-lines",
    Terms(
        needs=Permission.SUBSCRIPTION_READ,
        gives=PendingLineOut,
        is_list=True,
        query=ListQuery,
        refuses=(NotFound,),
    ),
)
async def list_pending_lines(call: Call[None, ListQuery]) -> Answer:
    """List the lines that wait for the subscription's next invoice, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(waiting_lines_look, _id(call), page)
    return piece(call.caller, page, shown, PendingLineOut.of)


@ROOM.patch(
    "/{subscriptionId}",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=SubscriptionPatch,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        is_versioned=True,
        refuses=(
            NotFound,
            IllegalTransition,
            CouponIsArchived,
            LimitReached,
            PreconditionFailed,
            StaleVersion,
        ),
    ),
)
async def edit_subscription(call: Call[SubscriptionPatch, DryRun]) -> Answer:
    """Change a subscription's quantity, coupons or metadata.

    A JSON merge patch. Another `quantity` is charged at the prices that were agreed to, as
    `proration` says. Other coupons are for the next period on: one that is taken away stays for
    the period that is charged already, `until` its end. `couponId: null` takes all of them away.
    """
    body, version = call.body, call.expected_version
    metadata, before = None, None
    if not isinstance(body.metadata, UnsetType):
        before = await peeked(call.caller.look(subscription_look, _id(call)))
    if before is not None and not isinstance(body.metadata, UnsetType):
        metadata = merged(before.metadata, body.metadata, "metadata")
        version = before.version if version is None else version
    command = UpdateSubscription(
        subscription_id=_id(call),
        metadata=metadata,
        coupon_ids=_coupon_ids(body.coupon_id, body.coupon_ids),
        quantity=None if isinstance(body.quantity, UnsetType) else body.quantity,
        proration=body.proration,
        expected_version=version,
    )
    async with raced(is_expected=call.expected_version is not None):
        return await changed(call.caller, update_subscription, command, _SHOWN)


@ROOM.post(
    "/{subscriptionId}/change-plan",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=PlanChange,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition, PlanIsArchived, AlreadySubscribed, LimitReached),
    ),
)
async def change_plan_of_subscription(call: Call[PlanChange, DryRun]) -> Answer:
    """Change the plan.

    `create_prorations` gives back the rest of what was charged for the period and charges the rest
    of the new plan, with the next invoice; `none` charges nothing before the next period;
    `at_period_end` changes nothing before it. A plan of another interval begins a period today,
    and is invoiced at once. With `dryRun` the same is worked out and taken back: `lines` is what
    it would cost.
    """
    body = call.body
    command = ChangePlan(
        subscription_id=_id(call),
        plan_id=body.plan_id,
        quantity=body.quantity,
        proration=body.proration,
    )
    return await changed(call.caller, change_plan, command, _SHOWN)


@ROOM.post(
    "/{subscriptionId}/cancel",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=Cancellation,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def cancel_one_subscription(call: Call[Cancellation, DryRun]) -> Answer:
    """Cancel a subscription.

    It ends with its current period, or now with `atPeriodEnd: false`; then `creditUnusedTime` gives
    back what is left of the period. What was used and not yet billed is billed.
    """
    command = call.body.to_command(_id(call))
    return await changed(call.caller, cancel_subscription, command, _SHOWN)


@ROOM.post(
    "/{subscriptionId}/reactivate",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=Nothing,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition, GraceIsOver, AlreadySubscribed),
    ),
)
async def reactivate_one_subscription(call: Call[Nothing, DryRun]) -> Answer:
    """Take a cancellation back.

    Until it has taken effect, or within the organization's `reactivationGraceDays` afterwards. A
    period that is paid for goes on; else one begins now.
    """
    step = StepSubscription(_id(call))
    return await changed(call.caller, reactivate_subscription, step, _SHOWN)


@ROOM.post(
    "/{subscriptionId}/pause",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=Nothing,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition, LimitReached),
    ),
)
async def pause_one_subscription(call: Call[Nothing, DryRun]) -> Answer:
    """Pause a subscription.

    The rest of the period is given back with the next invoice; periods go by and cost nothing
    until it is resumed.
    """
    step = StepSubscription(_id(call))
    return await changed(call.caller, pause_subscription, step, _SHOWN)


@ROOM.post(
    "/{subscriptionId}/resume",
    Terms(
        needs=Permission.SUBSCRIPTION_WRITE,
        takes=Nothing,
        gives=SteppedSubscriptionOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def resume_one_subscription(call: Call[Nothing, DryRun]) -> Answer:
    """Resume a paused subscription; the rest of the period is charged."""
    step = StepSubscription(_id(call))
    return await changed(call.caller, resume_subscription, step, _SHOWN)
