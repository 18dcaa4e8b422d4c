"""Billing for tests: an organization whose time is told, and what was billed in it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.support.world import Org, World

from bursar.domain.catalog import Plan
from bursar.domain.customers import Customer
from bursar.domain.ids import CustomerId, SubscriptionId, print_id, uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.meters import Meter
from bursar.domain.paging import Page
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.domain.subscriptions import Subscription
from bursar.domain.usage import UsageReport
from bursar.domain.usage_rows import NO_METER
from bursar.operations.billing_runs import BillChunk, BillOne, bill_chunk, bill_subscription
from bursar.operations.orgs import UpdateOrganization, update_organization
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import CreateSubscription, create_subscription
from bursar.operations.usage import IngestUsage, ingest_usage
from bursar.reads.customers import customer
from bursar.reads.invoices import InvoiceFilters, invoices
from bursar.reads.verify import checks


def at(text: str) -> datetime:
    """An instant by its ISO text, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Shop:
    """An organization that sells subscriptions, on a clock of its own."""

    org: Org
    now: datetime = field(default_factory=lambda: at("2026-01-01"))

    @property
    def world(self) -> World:
        return self.org.world

    async def set_clock(self, now: datetime) -> None:
        """Let business time be this instant."""
        self.now = now
        await self._as_owner(
            "INSERT INTO test_clocks (org_id, now_at) VALUES ($1, $2) "
            "ON CONFLICT (org_id) DO UPDATE SET now_at = excluded.now_at",
            uuid_of(self.org.id),
            now,
        )

    async def configure(self, **settings: object) -> None:
        """Settings of the organization."""
        await self.org.caller.run(update_organization, UpdateOrganization(settings))

    async def plan(
        self,
        cents: int = 5_000,
        *charges: PriceTerms,
        interval: BillingInterval = BillingInterval.MONTH,
        **more: Any,
    ) -> Plan:
        """A flat rate, with metered charges on top."""
        own = PriceTerms(PricingModel.FLAT_RATE, Decimal(cents), interval=interval)
        command = CreatePlan(
            name="Pro", interval=interval, terms=(own, *charges), metadata={}, **more
        )
        return await self.org.caller.run(create_plan, command)

    async def seats(self, cents: int, *charges: PriceTerms) -> Plan:
        """So much for each of what the customer takes."""
        own = PriceTerms(PricingModel.PER_UNIT, Decimal(cents))
        month = BillingInterval.MONTH
        command = CreatePlan(name="Seats", interval=month, terms=(own, *charges), metadata={})
        return await self.org.caller.run(create_plan, command)

    async def due(self) -> list[SubscriptionId]:
        """What billing has to look at by now, in the order in which it does."""
        return [subscription_id for subscription_id, _ in await self.looks()]

    async def looks(self) -> list[tuple[SubscriptionId, datetime]]:
        """The same, beside since when each is due."""
        connection = await self.world.house.as_owner()
        try:
            rows = await connection.fetch(
                "SELECT subject_id, due_at FROM agenda "
                "WHERE org_id = $1 AND kind = 'bill_subscription' AND due_at <= $2 "
                "ORDER BY due_at, subject_id",
                uuid_of(self.org.id),
                self.now,
            )
        finally:
            await connection.close()
        return [(SubscriptionId(print_id("sub", row["subject_id"])), row["due_at"]) for row in rows]

    async def subscribe(
        self, plan: Plan, customer: Customer | None = None, **more: Any
    ) -> Subscription:
        """A customer subscribes, now."""
        buyer = customer or await self.org.customer(token=None)
        command = CreateSubscription(customer_id=buyer.id, plan_id=plan.id, **more)
        return (await self.org.caller.run(create_subscription, command)).subscription

    async def use(
        self, subscription_id: SubscriptionId, meter: Meter, *events: tuple[str, datetime, int]
    ) -> None:
        """Usage events: key, instant, quantity."""
        reports = [
            UsageReport(subscription_id, meter.id, key, quantity, when, {})
            for key, when, quantity in events
        ]
        verdicts = await self.org.caller.run(ingest_usage, IngestUsage(reports, late_days_max=400))
        assert all(not isinstance(each, Exception) for each in verdicts), verdicts

    async def bill(self, subscription_id: SubscriptionId) -> Invoice | None:
        """One step of the row lane."""
        return await self.world.system(self.org.id).run(bill_subscription, BillOne(subscription_id))

    async def bill_all(self, limit: int = 200) -> int:
        """The bulk lane until nothing is due; how many invoices there were."""
        made = 0
        while (
            chunk := await self.world.system(self.org.id).run(bill_chunk, BillChunk(limit))
        ).subscriptions:
            made += chunk.invoices
        return made

    async def invoices(self) -> list[Invoice]:
        """All of them, the oldest first."""
        found = await self.org.caller.look(invoices, Page(size=100), InvoiceFilters())
        return sorted(found.items, key=lambda each: each.id)

    async def numbers(self) -> list[int]:
        """The numbers of all invoices, in order."""
        connection = await self.world.house.as_owner()
        try:
            rows = await connection.fetch(
                "SELECT number FROM invoices WHERE org_id = $1 ORDER BY number NULLS FIRST",
                uuid_of(self.org.id),
            )
        finally:
            await connection.close()
        return [row["number"] for row in rows]

    async def periods(self, subscription_id: SubscriptionId) -> list[tuple[str, str, str, int]]:
        """What is covered: kind, start, end and amount, in order."""
        connection = await self.world.house.as_owner()
        try:
            rows = await connection.fetch(
                "SELECT kind, start_at, end_at, amount_minor FROM billed_periods "
                "WHERE subscription_id = $1 AND release_id = $2 ORDER BY meter_id, start_at",
                uuid_of(subscription_id),
                NO_METER,
            )
        finally:
            await connection.close()
        return [(r[0], f"{r[1]:%Y-%m-%d}", f"{r[2]:%Y-%m-%d}", r[3]) for r in rows]

    async def forget_that_it_was_billed(self, before: Subscription) -> None:
        """Put the subscription and the agenda back, as if nothing had looked at them since."""
        await self._as_owner(
            "UPDATE subscriptions SET period_start_at = $2, period_end_at = $3 WHERE id = $1",
            uuid_of(before.id),
            before.period.start,
            before.period.end,
        )
        await self._as_owner(
            "UPDATE agenda SET due_at = $2 WHERE subject_id = $1",
            uuid_of(before.id),
            before.period.end,
        )

    async def stop_billing(self, subscription_id: SubscriptionId) -> None:
        """Take it off the agenda: what cannot be billed would fail in everybody's world."""
        await self._as_owner(
            "DELETE FROM agenda WHERE subject_id = $1 AND kind = 'bill_subscription'",
            uuid_of(subscription_id),
        )

    async def customer(self, customer_id: CustomerId) -> Customer:
        """One of the customers."""
        return await self.org.caller.look(customer, customer_id)

    async def wrong(self) -> list[str]:
        """What `verify` finds, but for the clock, which is set behind everybody's back here."""
        found = await self.world.operator(self.org.id).look(checks)
        return [
            f"{each.name}: {offender}"
            for each in found
            for offender in each.offenders
            if not offender.startswith("test_clock")
        ]

    async def _as_owner(self, query: str, *args: object) -> None:
        connection = await self.world.house.as_owner()
        try:
            await connection.execute(query, *args)
        finally:
            await connection.close()


async def a_shop(world: World, now: str = "2026-01-01") -> Shop:
    """A new one."""
    shop = Shop(await world.org())
    await shop.set_clock(at(now))
    return shop
