"""The billing run, everything included, beside one statement that writes the same rows.

Subscriptions with a flat fee, a metered charge, a coupon on some and a tax on some, due at once.
Ours decides every invoice by the law of billing; the limit decides nothing. The detail tells the
row lane beside it, a second run that must find nothing, the slope over sizes and the memory.
"""

import asyncio
import math
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

from bench.place import Place, open_place
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bursar.domain.access import Nobody, System
from bursar.domain.discounts import CouponDuration
from bursar.domain.ids import OrgId, SubscriptionId, print_id, uuid_of
from bursar.domain.meters import Aggregation
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.flows.sign_in import SignUp, sign_up
from bursar.main import build
from bursar.operations.billing_runs import BillChunk, BillOne, bill_chunk, bill_subscription
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.meters import DefineMeter, define_meter
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate
from bursar.reads.verify import checks
from bursar.runtime.app import App, Caller
from bursar.runtime.garbage import keep_what_stands
from bursar.runtime.logging import configure

NAME = "billing_run"
TARGET = Target(must=0.15, goal=0.4)
SMALL, ONE_BY_ONE = 1_000, 200
AT_ONCE = 2  # one decides while another writes; more only wait for the numbers of the series
_LIMIT = (Path(__file__).parent / "limits" / "billing_run.sql").read_text()
# What the stage wrote by SQL tells no events; everything else must agree.
_STAGED = ("days of usage are what their events add up to", "every change has its event")
_CUSTOMERS = """
INSERT INTO customers (org_id, id, email, name, currency, address, metadata, version, sequence,
    created_at, updated_at)
SELECT $1, sec.new_uuid7(), 'c' || n || '@example.com', 'Customer', 'usd',
    CASE WHEN n % 2 = 0 THEN '{"country": "DE"}'::jsonb END, '{}', 1, 1, now(), now()
FROM generate_series(1, $2::int) AS n
"""
_SUBSCRIBE = """
WITH made AS (
    INSERT INTO subscriptions (org_id, id, customer_id, started_at, created_at, version, sequence,
        updated_at, plan_id, plan_version, quantity, agreed_since_at, status, anchor_day,
        anchored_at, period_start_at, period_end_at, charged_plan_id, charged_plan_version,
        charged_quantity, coupons, cancel_at_period_end, metadata)
    SELECT $1, sec.new_uuid7(), c.id, t.start, now(), 1, 1, now(), $2, 1, 1, t.start, 'active',
        extract(day FROM t.start)::int, t.start, t.start, t.start + interval '1 month', $2, 1, 1,
        CASE WHEN row_number() OVER () % 5 = 0 THEN jsonb_build_array(
            jsonb_build_object('coupon_id', $3::text, 'since', t.start)
        ) ELSE '[]' END, false, '{}'
    FROM customers AS c, (SELECT date_trunc('month', now() - interval '1 month') AS start) AS t
    WHERE c.org_id = $1
    RETURNING org_id, id, started_at, period_end_at
), terms AS (
    INSERT INTO subscription_terms SELECT org_id, id, started_at, $2, 1, 1 FROM made
), covered AS (
    INSERT INTO billed_periods (org_id, subscription_id, meter_id, start_at, end_at, kind, quantity,
        amount_minor)
    SELECT org_id, id, '00000000-0000-0000-0000-000000000000', started_at, period_end_at, 'trial',
        0, 0
    FROM made
), used AS (
    INSERT INTO usage_days (org_id, subscription_id, meter_id, day, event_count, total, greatest,
        latest, latest_at, latest_key)
    SELECT org_id, id, $4, started_at::date + d, 1, 5, 5, 5, started_at, 'k' FROM made,
        generate_series(0, 9) AS d
)
INSERT INTO agenda (org_id, kind, subject_id, clock, due_at)
SELECT org_id, 'bill_subscription', id, 'business', period_end_at FROM made
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """An organization with so many subscriptions that are due."""

    app: App
    place: Place
    org_id: OrgId
    count: int

    @property
    def caller(self) -> Caller:
        """Bursar itself, there."""
        return Caller(
            app=self.app, org_id=self.org_id, actor=System("bench"), request_id=str(uuid4())
        )

    async def bill(self) -> tuple[float, int]:
        """The bulk lane to its end, as one worker runs it: seconds, and invoices made."""
        started = time.perf_counter()
        made = await asyncio.gather(*(self._chunks() for _ in range(AT_ONCE)))
        return time.perf_counter() - started, sum(made)

    async def _chunks(self) -> int:
        made = 0
        while (chunk := await self.caller.run(bill_chunk, BillChunk())).subscriptions:
            made += chunk.invoices
        return made

    async def bill_one_by_one(self) -> float:
        """The row lane, for some of them: subscriptions a second."""
        async with self.place.superuser() as connection:
            rows = await connection.fetch(
                "SELECT subject_id FROM agenda WHERE org_id = $1 AND kind = 'bill_subscription'"
                " LIMIT $2",
                uuid_of(self.org_id),
                ONE_BY_ONE,
            )
        started = time.perf_counter()
        for row in rows:
            subscription_id = SubscriptionId(print_id("sub", row["subject_id"]))
            await self.caller.run(bill_subscription, BillOne(subscription_id))
        return len(rows) / (time.perf_counter() - started)

    async def floor(self) -> float:
        """The limit: subscriptions a second by the one statement, a chunk a commit."""
        async with self.place.superuser() as connection:
            account = await connection.fetchval("SELECT sec.new_uuid7()")
            await connection.execute(
                "INSERT INTO ledger_accounts (org_id, id, code, currency, kind)"
                " VALUES ($1, $2, 'bench', 'usd', 'asset')",
                uuid_of(self.org_id),
                account,
            )
            started = time.perf_counter()
            for place in range(-(-self.count // 200)):
                await connection.execute(
                    _LIMIT, uuid_of(self.org_id), 200, f"L{place}", account, timeout=600
                )
            return self.count / (time.perf_counter() - started)


async def bench(effort: Effort) -> Result:
    """Subscriptions a second beside the floor; `history` is the size of the large run."""
    configure(level="warning", is_development=False)
    large = effort.history if effort.history != Effort.history else 10 * SMALL
    rounds, broken, detail = list[Round](), list[str](), dict[str, object]()
    async with open_place() as place, _opened(place) as app:
        keep_what_stands()  # as a worker does
        rates: dict[int, float] = {}
        memory: dict[int, int] = {}
        for size in (SMALL, large):
            shop = await _shop(app, place, size)
            await place.checkpoint()
            seconds, made = await shop.bill()
            again, more = await shop.bill()
            rates[size] = seconds
            memory[size] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            floor = await _shop(app, place, size)
            await place.checkpoint()
            rounds.append(Round(ours=size / seconds, limit=await floor.floor()))
            broken += [f"{made} invoices for {size}"] if made != size else []
            broken += [f"a second run made {more}"] if more else []
            broken += [
                f"{each.name}: {each.offenders[:2]}"
                for each in await shop.caller.look(checks)
                if not each.is_good and each.name not in _STAGED
            ]
            detail[f"second_run_{size}"] = round(again / seconds, 4)
        alone = await (await _shop(app, place, ONE_BY_ONE)).bill_one_by_one()
        detail["over_the_row_lane"] = round(large / rates[large] / alone, 1)
        detail["slope"] = round(math.log(rates[large] / rates[SMALL]) / math.log(large / SMALL), 3)
        detail["memory"] = round(memory[large] / memory[SMALL], 2)
        detail["memory_mib"] = round(memory[large] / 1024)
        result = judged(NAME, TARGET, rounds, unit="subscriptions/s", broken=broken)
        result.settings.update(sizes=[SMALL, large], postgres=await place.shown_settings())
        result.detail.update(detail)
        return result


@asynccontextmanager
async def _opened(place: Place) -> AsyncIterator[App]:
    async with build(place.settings(), part="bench", app_url=place.app_url) as app:
        yield app


async def _shop(app: App, place: Place, count: int) -> Shop:
    nobody = Caller(app=app, org_id=None, actor=Nobody(), request_id=str(uuid4()))
    email = f"owner-{uuid4().hex[:8]}@example.com"
    signed = await sign_up(nobody, SignUp(email, "Olga", "Correct-horse-7-battery", "Bench"))
    assert signed.organization is not None
    shop = Shop(app, place, signed.organization.id, count)
    plan_id, coupon_id, meter_id = await _sold(shop.caller)
    async with place.superuser() as connection:
        org_id = uuid_of(shop.org_id)
        await connection.execute(_CUSTOMERS, org_id, count, timeout=600)
        await connection.execute(_SUBSCRIBE, org_id, plan_id, coupon_id, meter_id, timeout=600)
        await connection.execute("ANALYZE", timeout=600)
    return shop


async def _sold(caller: Caller) -> tuple[UUID, str, UUID]:
    counted = DefineMeter(name="Calls", key="calls", aggregation=Aggregation.SUM)
    meter = await caller.run(define_meter, counted)
    fee = PriceTerms(PricingModel.FLAT_RATE, Decimal(5_000))
    calls = PriceTerms(PricingModel.PER_UNIT, Decimal(5), meter_id=meter.id)
    month = BillingInterval.MONTH
    plan = await caller.run(
        create_plan, CreatePlan(name="Pro", interval=month, terms=(fee, calls), metadata={})
    )
    tenth = CreateCoupon(
        name="Tenth", duration=CouponDuration.FOREVER, percent_off=Decimal(10), metadata={}
    )
    coupon = await caller.run(create_coupon, tenth)
    vat = CreateTaxRate(
        name="VAT", percent=Decimal(19), country="DE", is_automatic=True, metadata={}
    )
    await caller.run(create_tax_rate, vat)
    return uuid_of(plan.id), coupon.id, uuid_of(meter.id)
