"""Agreements: a subscription with everything it names, as the rules about it need them."""

from collections.abc import Iterable

from bursar.domain.agreements import Agreement
from bursar.domain.catalog import Plan
from bursar.domain.discounts import Coupon
from bursar.domain.ids import CouponId, PlanId, SubscriptionId
from bursar.domain.subscriptions import Subscription
from bursar.runtime.db import Tx
from bursar.store import coupons, customers, orgs, plans, subscriptions

PlanVersion = tuple[PlanId, int]


async def lock(tx: Tx, subscription_id: SubscriptionId) -> Agreement:
    """One subscription, alone with its customer, beside what it agreed to.

    Raises:
        NotFound: no such subscription in this organization.
    """
    await customers.lock_through(tx, subscription_id)
    return await beside(tx, await subscriptions.get(tx, subscription_id))


async def beside(tx: Tx, subscription: Subscription, *more: Plan) -> Agreement:
    """A subscription beside its plans and coupons, and plans it may change to."""
    known = {(plan.id, plan.price_version): plan for plan in more}
    terms = (subscription.agreed, subscription.charged, subscription.scheduled)
    wanted = {(each.plan_id, each.plan_version) for each in terms if each is not None}
    organization = await orgs.get(tx)
    return Agreement(
        subscription,
        known | await _plans(tx, wanted - known.keys()),
        await _coupons(tx, (given.coupon_id for given in subscription.coupons)),
        organization.timezone,
    )


async def _plans(tx: Tx, wanted: Iterable[PlanVersion]) -> dict[PlanVersion, Plan]:
    return {key: await plans.get_version(tx, *key) for key in wanted}


async def _coupons(tx: Tx, wanted: Iterable[CouponId]) -> dict[CouponId, Coupon]:
    return {coupon_id: await coupons.get(tx, coupon_id) for coupon_id in wanted}
