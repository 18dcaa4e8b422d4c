"""What can be done in a story: each act is a sentence, and a verb of the application behind it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, Final

from tests.stories.script import Act, Script
from tests.stories.telling import Names, balances, timeline
from tests.support.world import Org, World

from bursar.domain.agreements import Proration
from bursar.domain.catalog import Plan
from bursar.domain.customers import Customer
from bursar.domain.discounts import Coupon, CouponDuration
from bursar.domain.drafting import NewLine
from bursar.domain.ids import SubscriptionId, uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.paging import Page
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier
from bursar.domain.usage import UsageReport
from bursar.domain.wallets import Wallet
from bursar.flows.create_customer import create_customer_everywhere
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.customers import CreateCustomer
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, VoidInvoice, create_invoice, void_invoice
from bursar.operations.meters import DefineMeter, define_meter
from bursar.operations.orgs import UpdateOrganization, update_organization
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import (
    CancelSubscription,
    ChangePlan,
    CreateSubscription,
    StepSubscription,
    UpdateSubscription,
    cancel_subscription,
    change_plan,
    create_subscription,
    pause_subscription,
    reactivate_subscription,
    resume_subscription,
    update_subscription,
)
from bursar.operations.transfers import PostTransfer, post_transfer
from bursar.operations.usage import IngestUsage, Taken, ingest_usage
from bursar.operations.wallets import CreateWallet, create_wallet
from bursar.reads.invoices import InvoiceFilters, invoices

CARDS: Final = {
    "a good card": "pm_card_visa",
    "a bad card": "pm_card_chargeCustomerFail",
    "no card": None,
}
_LATE_DAYS: Final = 400
_keys = count(1)
_Verb = Callable[..., Awaitable[None]]
_VERBS: Final[list[tuple[re.Pattern[str], str]]] = []


def says(pattern: str) -> Callable[[_Verb], _Verb]:
    """Which sentence it is."""

    def known(verb: _Verb) -> _Verb:
        _VERBS.append((re.compile(pattern), verb.__name__))
        return verb

    return known


@dataclass
class Stage:
    """One story as it is played."""

    org: Org
    script: Script
    names: Names = field(default_factory=Names)
    customers: dict[str, Customer] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    wallets: dict[str, Wallet] = field(default_factory=dict)
    subscriptions: dict[str, SubscriptionId] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.org.world

    async def play(self) -> str:
        """Everything in its time; what came of it."""
        if (zone := self.script.settings.get("zone")) is not None:
            await self.org.caller.run(update_organization, UpdateOrganization({"timezone": zone}))
        now = self.script.acts[0].at
        await self.org.freeze(now)
        for act in self.script.acts:
            if act.at > now:
                await self._pass(act)
                now = act.at
            await self._perform(act.words)
            await self.world.drain()
        zone_info = self.script.zone
        facts = await timeline(self.org, self.names, zone_info)
        return f"== timeline\n{facts}\n\n== trial balance\n{await balances(self.org, self.names)}\n"

    async def _pass(self, act: Act) -> None:
        if act.words == "the lights go on again":
            await self._jump(act.at)
        else:
            await self.org.advance(act.at)

    async def _jump(self, at: datetime) -> None:
        """Nobody works meanwhile: the time is another, and nothing that was due is done."""
        connection = await self.world.house.as_owner()
        try:
            clock = "UPDATE test_clocks SET now_at = $2 WHERE org_id = $1"
            await connection.execute(clock, uuid_of(self.org.id), at)
        finally:
            await connection.close()

    async def _perform(self, words: str) -> None:
        for pattern, verb in _VERBS:
            found = pattern.fullmatch(words)
            if found is not None:
                await getattr(self, verb)(**found.groupdict())
                return
        raise AssertionError(f"nobody knows how to: {words}")

    @says(r"the end|the lights go on again")
    async def rest(self) -> None:
        """Nothing more."""

    @says(r"meter (?P<name>\w+) (?P<how>sums|counts|takes the largest|counts different)")
    async def define(self, name: str, how: str) -> None:
        kinds = {
            "sums": Aggregation.SUM,
            "counts": Aggregation.COUNT,
            "takes the largest": Aggregation.MAX,
            "counts different": Aggregation.UNIQUE,
        }
        aggregation = kinds[how]
        prop = "who" if aggregation is Aggregation.UNIQUE else None
        command = DefineMeter(name=name, key=name, aggregation=aggregation, property_name=prop)
        self.meters[name] = await self.org.caller.run(define_meter, command)
        self.names.known[self.meters[name].id] = name

    @says(
        r"plan (?P<name>\w+) costs (?P<price>.+?) a (?P<interval>month|year)"
        r"(?: and (?P<usage>.+) of (?P<meter>\w+))?(?:, after (?P<trial>\d+) free days)?"
    )
    async def publish(self, name: str, price: str, interval: str, **more: str | None) -> None:
        terms = [_terms(price, BillingInterval(interval))]
        if (usage := more["usage"]) is not None:
            assert more["meter"] is not None
            metered = _terms(usage, BillingInterval.MONTH, self.meters[more["meter"]])
            terms.append(metered)
        command = CreatePlan(
            name=name,
            interval=BillingInterval(interval),
            terms=tuple(terms),
            trial_days=int(more["trial"] or 0),
            metadata={},
        )
        self.plans[name] = await self.org.caller.run(create_plan, command)
        self.names.known[self.plans[name].id] = name

    @says(
        r"coupon (?P<name>\w+) takes (?P<off>[\d.]+)(?P<is_percent>%)? off"
        r" (?P<how>once|for ever|for (?P<months>\d+) months)"
    )
    async def offer(self, name: str, off: str, **more: str | None) -> None:
        durations = {"once": CouponDuration.ONCE, "for ever": CouponDuration.FOREVER}
        assert more["how"] is not None
        duration = durations.get(more["how"], CouponDuration.REPEATING)
        command = CreateCoupon(
            name=name,
            duration=duration,
            percent_off=Decimal(off) if more["is_percent"] else None,
            amount_off_minor=None if more["is_percent"] else _cents(off),
            months=int(more["months"]) if more["months"] else None,
            metadata={},
        )
        self.coupons[name] = await self.org.caller.run(create_coupon, command)

    @says(r"(?P<who>\w+) joins with (?P<card>a good card|a bad card|no card)")
    async def join(self, who: str, card: str) -> None:
        command = CreateCustomer(
            email=f"{who.lower()}{next(_keys)}@example.com", name=who, metadata={}
        )
        self.customers[who] = await create_customer_everywhere(self.org.caller, command)
        self.names.known[self.customers[who].id] = who
        if (token := CARDS[card]) is not None:
            await self._attach(who, token)

    @says(r"(?P<who>\w+) gives (?P<card>a good card|a bad card)")
    async def give(self, who: str, card: str) -> None:
        token = CARDS[card]
        assert token is not None
        await self._attach(who, token)

    async def _attach(self, who: str, token: str) -> None:
        command = AttachMethod(self.customers[who].id, token)
        self.customers[who] = (await attach_method(self.org.caller, command)).customer

    @says(
        r"(?P<who>\w+) subscribes to (?P<plan>\w+)(?: x(?P<many>\d+))?(?: with (?P<coupon>\w+))?"
        r"(?: on the (?P<anchor>\d+)th)?(?: from (?P<start>\d{4}-\d\d-\d\d))?"
    )
    async def subscribe(self, who: str, plan: str, **more: str | None) -> None:
        start, coupon, anchor = more["start"], more["coupon"], more["anchor"]
        command = CreateSubscription(
            customer_id=self.customers[who].id,
            plan_id=self.plans[plan].id,
            quantity=int(more["many"] or 1),
            anchor_day=None if anchor is None else int(anchor),
            coupon_ids=() if coupon is None else (self.coupons[coupon].id,),
            start_at=None if start is None else self._instant(f"{start} 00:00"),
        )
        made = await self.org.caller.run(create_subscription, command)
        self.subscriptions[who] = made.subscription.id

    @says(
        r"(?P<who>\w+) changes to (?P<plan>\w+)(?: x(?P<many>\d+))?"
        r"(?: (?P<how>at the end|without proration))?"
    )
    async def change(self, who: str, plan: str, many: str | None, how: str | None) -> None:
        command = ChangePlan(
            subscription_id=self.subscriptions[who],
            plan_id=self.plans[plan].id,
            quantity=None if many is None else int(many),
            proration=_PRORATION[how],
        )
        await self.org.caller.run(change_plan, command)

    @says(r"(?P<who>\w+) wants x(?P<many>\d+)(?: (?P<how>at the end|without proration))?")
    async def want(self, who: str, many: str, how: str | None) -> None:
        command = UpdateSubscription(
            subscription_id=self.subscriptions[who], quantity=int(many), proration=_PRORATION[how]
        )
        await self.org.caller.run(update_subscription, command)

    @says(r"(?P<who>\w+) (?P<step>pauses|resumes|comes back)")
    async def step(self, who: str, step: str) -> None:
        verbs = {
            "pauses": pause_subscription,
            "resumes": resume_subscription,
            "comes back": reactivate_subscription,
        }
        await self.org.caller.run(verbs[step], StepSubscription(self.subscriptions[who]))

    @says(r"(?P<who>\w+) cancels (?P<when>now|at the end)(?P<credit> and gets the rest back)?")
    async def cancel(self, who: str, when: str, credit: str | None) -> None:
        command = CancelSubscription(
            subscription_id=self.subscriptions[who],
            at_period_end=when == "at the end",
            is_credited=credit is not None,
        )
        await self.org.caller.run(cancel_subscription, command)

    @says(
        r"(?P<who>\w+) uses (?P<quantity>\d+) (?P<meter>\w+)(?: on (?P<day>\S+ \S+))?"
        r"(?: as (?P<value>\w+))?"
    )
    async def use(self, who: str, quantity: str, meter: str, **more: str | None) -> None:
        now = await self._now()
        report = UsageReport(
            self.subscriptions[who],
            self.meters[meter].id,
            f"story-{next(_keys)}",
            int(quantity),
            self._instant(more["day"]) if more["day"] else now,
            {"who": more["value"]} if more["value"] else {},
        )
        command = IngestUsage((report,), late_days_max=_LATE_DAYS)
        (verdict,) = await self.org.caller.run(ingest_usage, command)
        assert isinstance(verdict, Taken), verdict

    @says(r"(?P<who>\w+) is invoiced (?P<lines>.+)")
    async def invoice(self, who: str, lines: str) -> None:
        parts = [
            re.fullmatch(r"(?:(\d+) x )?([\d.]+) for (.+)", each) for each in lines.split(", ")
        ]
        command = CreateInvoice(
            customer_id=self.customers[who].id,
            lines=tuple(
                NewLine(part[3], int(part[1] or 1), Decimal(_cents(part[2])))
                for part in parts
                if part is not None
            ),
            metadata={},
        )
        assert None not in parts, lines
        made = await self.org.caller.run(create_invoice, command)
        await self.org.caller.run(finalize_invoice, FinalizeInvoice(made.id))

    @says(r"#(?P<number>\d+) is paid")
    async def pay(self, number: str) -> None:
        await self.org.pay(await self._invoice(number))

    @says(r"#(?P<number>\d+) is voided")
    async def void(self, number: str) -> None:
        await self.org.caller.run(void_invoice, VoidInvoice(await self._invoice(number)))

    @says(r"wallet (?P<name>\w+) is filled with (?P<amount>[\d.]+)")
    async def fill(self, name: str, amount: str) -> None:
        if name not in self.wallets:
            self.wallets[name] = await self.org.caller.run(create_wallet, CreateWallet(name=name))
            self.names.known[self.wallets[name].id] = name
        await self.org.deposit(self.wallets[name].id, _cents(amount))

    @says(r"(?P<amount>[\d.]+) go from wallet (?P<sender>\w+) to wallet (?P<goal>\w+)")
    async def send(self, amount: str, sender: str, goal: str) -> None:
        command = PostTransfer(
            from_wallet_id=self.wallets[sender].id,
            to_wallet_id=self.wallets[goal].id,
            amount_minor=_cents(amount),
        )
        await self.org.caller.run(post_transfer, command)

    async def invoices(self) -> tuple[Invoice, ...]:
        """All that was billed in it."""
        found = await self.org.caller.look(invoices, Page(size=100), InvoiceFilters())
        assert found.next_cursor is None
        return found.items

    async def _invoice(self, number: str) -> Any:
        found = await self.invoices()
        return next(each.id for each in found if each.number and each.number.number == int(number))

    async def _now(self) -> datetime:
        connection = await self.world.house.as_owner()
        try:
            query = "SELECT now_at FROM test_clocks WHERE org_id = $1"
            now: datetime = await connection.fetchval(query, uuid_of(self.org.id))
        finally:
            await connection.close()
        return now

    def _instant(self, text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=self.script.zone)


_PRORATION: Final = {
    None: Proration.CREATE,
    "at the end": Proration.AT_PERIOD_END,
    "without proration": Proration.NONE,
}


def _cents(text: str) -> int:
    return int(Decimal(text) * 100)


def _terms(words: str, interval: BillingInterval, meter: Meter | None = None) -> PriceTerms:
    """`30.00` · `10.00 each` · `5.00 per 100` · `2.00 each to 10, 1.00 each after`.

    With `all` for `each`, all units cost what the tier of the last one says.
    """
    meter_id = None if meter is None else meter.id
    more: dict[str, Any] = {"meter_id": meter_id, "interval": interval}
    if found := re.fullmatch(r"([\d.]+)", words):
        return PriceTerms(PricingModel.FLAT_RATE, Decimal(found[1]) * 100, **more)
    if found := re.fullmatch(r"([\d.]+) each", words):
        return PriceTerms(PricingModel.PER_UNIT, Decimal(found[1]) * 100, **more)
    if found := re.fullmatch(r"([\d.]+) per (\d+)", words):
        size = int(found[2])
        amount = Decimal(found[1]) * 100
        return PriceTerms(PricingModel.PACKAGE, amount, package_size=size, **more)
    tiers = [
        re.fullmatch(r"([\d.]+) (each|all) (?:to (\d+)|after)", each) for each in words.split(", ")
    ]
    found_tiers = [each for each in tiers if each is not None]
    assert len(found_tiers) == len(tiers), words
    is_volume = found_tiers[0][2] == "all"
    return PriceTerms(
        PricingModel.VOLUME if is_volume else PricingModel.GRADUATED,
        tiers=tuple(
            Tier(int(each[3]) if each[3] else None, Decimal(each[1]) * 100) for each in found_tiers
        ),
        **more,
    )
