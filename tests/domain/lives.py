"""A subscription through time, without a database: plans, wishes, and what each step leaves."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.domain.nouns import USD

from bursar.domain.agenda import Due
from bursar.domain.agreements import Agreement, Proration
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.discounts import Coupon
from bursar.domain.frozen import replace
from bursar.domain.ids import PlanId, PriceId
from bursar.domain.money import Money, total
from bursar.domain.pending_lines import DropWaiting, PendingLine
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, price
from bursar.domain.shapes.samples import PLAN, SUBSCRIPTION
from bursar.domain.subscriptions import Agreed, Subscription, Wish
from bursar.domain.times import Instant, Period

MONTH, YEAR = BillingInterval.MONTH, BillingInterval.YEAR


def a_plan(cents: int, interval: BillingInterval = MONTH, number: int = 1) -> Plan:
    terms = PriceTerms(PricingModel.PER_UNIT, Decimal(cents), interval=interval)
    own = price(PriceId(f"price_{number}"), terms)
    return replace(
        PLAN, id=PlanId(f"plan_{number}"), name=f"Plan {number}", interval=interval, prices=(own,)
    )


def some(plan: Plan, quantity: int = 1) -> Agreed:
    return Agreed(plan.id, plan.price_version, quantity)


def a_wish(plan: Plan, start: Instant, timezone: str = "UTC", **more: Any) -> Wish:
    terms: dict[str, Any] = {
        "id": SUBSCRIPTION.id,
        "customer_id": SUBSCRIPTION.customer_id,
        "agreed": some(plan),
        "interval": plan.interval,
        "timezone": timezone,
        "started_at": start,
        "trial_end": None,
        "anchor_day": None,
        "coupon_ids": (),
        "metadata": {},
    }
    return Wish(**(terms | more))


@dataclass
class Life:
    """A subscription through time: its lines, its periods, and what was charged for from when."""

    agreement: Agreement
    now: Instant
    lines: list[PendingLine] = field(default_factory=list)
    looks: list[Instant] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    held: list[tuple[Instant, Agreed | None]] = field(default_factory=list)

    @classmethod
    def begin(
        cls, wish: Wish, at: Instant, plans: list[Plan], coupons: tuple[Coupon, ...] = ()
    ) -> "Life":
        known = {(each.id, each.price_version): each for each in plans}
        of_id = {each.id: each for each in coupons}
        agreement = Agreement(wish.draft(at), known, of_id, wish.timezone)
        life = cls(agreement, at, periods=[agreement.subscription.period])
        life.take(agreement.begin(at), wish.started_at)
        return life

    @property
    def subscription(self) -> Subscription:
        return self.agreement.subscription

    def take(self, change: Change, at: Instant) -> list[PendingLine]:
        """Make a change true; gives the lines it leaves."""
        if change.rows:
            self.agreement = self.agreement.after(change)
        left = [each for each in change.pending if isinstance(each, PendingLine)]
        if any(isinstance(each, DropWaiting) for each in change.pending):
            self.lines.clear()
        self.lines += left
        self.looks += [item.at for item in change.agenda if isinstance(item, Due)]
        period = self.subscription.period
        if period != self.periods[-1] and self.subscription.is_running:
            self.periods.append(period)
        self.held.append((at, self.subscription.charged))
        return left

    def reach(self, at: Instant) -> None:
        """Time goes by: every period that is due begins."""
        while self.agreement.is_behind(at):
            end = self.subscription.period.end
            self.take(self.agreement.turn(), end)
        self.now = at

    def change(self, agreed: Agreed, mode: Proration = Proration.CREATE) -> list[int]:
        return self.amounts(self.agreement.change(agreed, mode, self.now))

    def amounts(self, change: Change) -> list[int]:
        return [each.amount.minor for each in self.take(change, self.now)]

    def billed(self) -> Money:
        """What invoices make of the lines: coupons come off where they still may."""
        return total((self.net(line) for line in self.lines), USD)

    def net(self, line: PendingLine) -> Money:
        if not line.is_discountable:
            return line.amount
        for coupon in self.agreement.covering(line.period):
            line = replace(line, amount=line.amount - coupon.of([line.amount])[0])
        return line.amount
