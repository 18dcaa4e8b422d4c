"""Tabs: what billing has to know of subscriptions, read for one or for a thousand at a time.

Both lanes of the billing run read through here, so they decide over the same facts. A bounded
number of statements, however many subscriptions there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from msgspec import Struct

from bursar.domain.agreements import Agreement
from bursar.domain.billed_periods import Tab, Term
from bursar.domain.billing import Payer
from bursar.domain.catalog import Plan
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon
from bursar.domain.frozen import replace
from bursar.domain.ids import (
    CouponId,
    CustomerId,
    MeterId,
    PlanId,
    SubscriptionId,
    print_id,
    uuid_of,
)
from bursar.domain.meters import Meter
from bursar.domain.money import Money
from bursar.domain.numbering import Numbering, NumberScope
from bursar.domain.pending_lines import PendingKind, WaitingLine
from bursar.domain.plan_rows import (
    row_to_coupon,
    row_to_meter,
    row_to_pending_line,
    row_to_plan,
    row_to_subscription,
)
from bursar.domain.rows import Record
from bursar.domain.subscriptions import Subscription
from bursar.domain.times import Instant
from bursar.domain.usage_rows import NO_METER, meter_id_of
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import tax_rates

Q = sql.beside(__file__)

PlanVersion = tuple[PlanId, int]
Covered = dict[MeterId | None, Instant]


class HouseTerms(Struct, frozen=True):
    """How the organization bills."""

    timezone: str
    net_terms_days: int
    invoice_prefix: str
    grace_hours: int
    has_zero_invoices: bool
    has_consolidated_invoices: bool
    is_credit_applied: bool
    invoice_numbering: str
    has_yearly_numbers: bool

    @property
    def numbering(self) -> Numbering:
        """How its documents are numbered."""
        scope = NumberScope(self.invoice_numbering)
        return Numbering(self.invoice_prefix, scope, self.has_yearly_numbers, self.timezone)


class OpenTab(Struct, frozen=True):
    """A tab beside who pays for it."""

    tab: Tab
    payer: Payer


async def is_due(tx: Tx, subscription_id: SubscriptionId) -> bool:
    """Whether billing has to look at a subscription by now; nobody else looks until we end."""
    due_at = await tx.fetchval(Q.lock_look, uuid_of(tx.org_id), uuid_of(subscription_id))
    return due_at is not None and due_at <= tx.now


async def claim(tx: Tx, limit: int) -> list[SubscriptionId]:
    """Subscriptions that are due, alone with their customers; those of others are passed over.

    The earliest first, and of one instant the eldest: so they are numbered.
    """
    rows = await tx.fetch(Q.claim_looks, uuid_of(tx.org_id), tx.now, limit)
    rows.sort(key=lambda row: (row["due_at"], row["subject_id"]))
    return [SubscriptionId(print_id("sub", row["subject_id"])) for row in rows]


async def siblings(tx: Tx, claimed: Sequence[SubscriptionId]) -> list[SubscriptionId]:
    """Other subscriptions of the same customers that are due as well."""
    keys = [uuid_of(each) for each in claimed]
    rows = await tx.fetch(Q.claim_siblings, uuid_of(tx.org_id), keys, tx.now)
    return list({SubscriptionId(print_id("sub", row["subject_id"])): None for row in rows})


async def house_terms(tx: Tx) -> HouseTerms:
    """How the organization bills."""
    row = await tx.fetchrow(Q.billing_terms, uuid_of(tx.org_id))
    assert row is not None, "whoever bills is in an organization"
    return HouseTerms(**row)


async def payer(tx: Tx, customer_id: CustomerId, house: HouseTerms) -> Payer:
    """A customer whom an invoice is for."""
    row = await tx.fetchrow(Q.payer, uuid_of(tx.org_id), uuid_of(customer_id))
    assert row is not None, "an invoice has a customer"
    return _payer(row, customer_id, house)


async def read(
    tx: Tx, subscription_ids: Sequence[SubscriptionId], house: HouseTerms
) -> list[OpenTab]:
    """The tabs of subscriptions whose customers are locked, in the order they are named."""
    org_id, keys = uuid_of(tx.org_id), [uuid_of(each) for each in subscription_ids]
    rows = {row["id"]: row for row in await tx.fetch(Q.billed_subscriptions, org_id, keys)}
    found = [row_to_subscription(rows[key]) for key in keys]
    agreed = await _terms(tx, keys)
    plans = await _plans(
        tx, {*_named(found), *(key for each in agreed.values() for _, key in each)}
    )
    terms = {
        subscription_id: tuple(Term(since, plans[key]) for since, key in each)
        for subscription_id, each in agreed.items()
    }
    meters = await _meters(tx, plans.values())
    coupons = await _coupons(tx, found)
    waiting = await _waiting(tx, keys)
    covered = await _covered(tx, terms)
    released = await _released(tx, waiting, covered)
    taxes = await tax_rates.automatic_terms(tx, {each.customer_id for each in found})
    tabs = []
    for key, subscription in zip(keys, found, strict=True):
        tab = Tab(
            Agreement(subscription, plans, coupons, house.timezone),
            terms[subscription.id],
            meters,
            covered.get(subscription.id, {}),
            tuple(waiting.get(subscription.id, ())),
            frozenset(released.get(subscription.id, ())),
        )
        payer = _payer(rows[key], subscription.customer_id, house)
        tabs.append(OpenTab(tab, replace(payer, taxes=taxes[subscription.customer_id])))
    return tabs


def _payer(row: Record, customer_id: CustomerId, house: HouseTerms) -> Payer:
    currency = Currency(row["customer_currency"])
    return Payer(
        customer_id=customer_id,
        currency=currency,
        timezone=house.timezone,
        net_terms_days=house.net_terms_days,
        grace_hours=house.grace_hours,
        has_zero_invoices=house.has_zero_invoices,
        can_be_charged=row["can_be_charged"],
        credit=Money(row["credit_minor"], currency),
        is_credit_applied=house.is_credit_applied,
    )


def _named(subscriptions: Iterable[Subscription]) -> set[PlanVersion]:
    return {
        (agreed.plan_id, agreed.plan_version)
        for each in subscriptions
        for agreed in (each.agreed, each.charged, each.scheduled)
        if agreed is not None
    }


async def _terms(
    tx: Tx, keys: list[UUID]
) -> dict[SubscriptionId, list[tuple[Instant, PlanVersion]]]:
    terms: dict[SubscriptionId, list[tuple[Instant, PlanVersion]]] = defaultdict(list)
    for row in await tx.fetch(Q.agreed_terms, uuid_of(tx.org_id), keys):
        plan_version = PlanId(print_id("plan", row["plan_id"])), row["plan_version"]
        terms[_subscription(row)].append((row["since_at"], plan_version))
    return terms


async def _plans(tx: Tx, wanted: set[PlanVersion]) -> dict[PlanVersion, Plan]:
    org_id, keys = uuid_of(tx.org_id), [uuid_of(plan_id) for plan_id, _ in wanted]
    versions = [number for _, number in wanted]
    prices: dict[tuple[UUID, int], list[Record]] = defaultdict(list)
    for row in await tx.fetch(Q.prices_of_versions, org_id, keys, versions):
        prices[row["plan_id"], row["plan_version"]].append(row)
    found = {}
    for row in await tx.fetch(Q.plans_of_versions, org_id, keys, versions):
        plan = row_to_plan(row, prices[row["id"], row["number"]])
        found[plan.id, row["number"]] = replace(plan, price_version=row["number"])
    return found


async def _meters(tx: Tx, plans: Iterable[Plan]) -> dict[MeterId, Meter]:
    wanted = {price.terms.meter_id for plan in plans for price in plan.metered} - {None}
    keys = [uuid_of(each) for each in wanted if each is not None]
    if not keys:
        return {}
    rows = await tx.fetch(Q.meters_by_id, uuid_of(tx.org_id), keys)
    return {each.id: each for each in map(row_to_meter, rows)}


async def _coupons(tx: Tx, subscriptions: Iterable[Subscription]) -> dict[CouponId, Coupon]:
    keys = {uuid_of(given.coupon_id) for each in subscriptions for given in each.coupons}
    if not keys:
        return {}
    rows = await tx.fetch(Q.coupons_by_id, uuid_of(tx.org_id), list(keys))
    return {each.id: each for each in map(row_to_coupon, rows)}


async def _waiting(tx: Tx, keys: list[UUID]) -> dict[SubscriptionId, list[WaitingLine]]:
    waiting: dict[SubscriptionId, list[WaitingLine]] = defaultdict(list)
    for row in await tx.fetch(Q.waiting_lines, uuid_of(tx.org_id), keys):
        waiting[_subscription(row)].append(row_to_pending_line(row))
    return waiting


async def _covered(
    tx: Tx, terms: Mapping[SubscriptionId, Iterable[Term]]
) -> dict[SubscriptionId, Covered]:
    charges = [
        (uuid_of(subscription_id), meter_id)
        for subscription_id, each in terms.items()
        for meter_id in {NO_METER, *_metered(each)}
    ]
    covered: dict[SubscriptionId, Covered] = defaultdict(dict)
    columns = [list(column) for column in zip(*charges, strict=True)]
    for row in await tx.fetch(Q.covered_until, uuid_of(tx.org_id), *columns):
        covered[_subscription(row)][meter_id_of(row["meter_id"])] = row["end_at"]
    return covered


def _metered(terms: Iterable[Term]) -> set[UUID]:
    return {
        uuid_of(price.terms.meter_id)
        for term in terms
        for price in term.plan.metered
        if price.terms.meter_id is not None
    }


async def _released(
    tx: Tx,
    waiting: Mapping[SubscriptionId, Iterable[WaitingLine]],
    covered: Mapping[SubscriptionId, Covered],
) -> dict[SubscriptionId, list[Instant]]:
    """Of the lines that wait within what is covered, those that an invoice had before."""
    early = [
        (uuid_of(subscription_id), each.line.period.start)
        for subscription_id, lines in waiting.items()
        for each in lines
        if each.line.kind is PendingKind.SUBSCRIPTION
        and None in covered.get(subscription_id, {})
        and each.line.period.start < covered[subscription_id][None]
    ]
    released: dict[SubscriptionId, list[Instant]] = defaultdict(list)
    if early:
        columns = [list(column) for column in zip(*early, strict=True)]
        for row in await tx.fetch(Q.released_fees, uuid_of(tx.org_id), *columns):
            released[_subscription(row)].append(row["start_at"])
    return released


def _subscription(row: Record) -> SubscriptionId:
    return SubscriptionId(print_id("sub", row["subscription_id"]))
