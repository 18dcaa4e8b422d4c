"""Everybody who may stand before a route, and an organization full of things to ask for."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.api.client import Client
from tests.support.agreements import a_subscription
from tests.support.recurring import a_recurring_invoice
from tests.support.world import PASSWORD, Org, World

from bursar.domain.access import ROLE_PERMISSIONS, SCOPE_PERMISSIONS, Permission, Role
from bursar.domain.credit_notes import CreditNote
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer
from bursar.domain.discounts import CouponDuration
from bursar.domain.ids import CustomerId, PaymentId, uuid_of
from bursar.domain.import_files import FileFormat
from bursar.domain.meters import Aggregation
from bursar.domain.money import Money
from bursar.domain.paging import Page
from bursar.domain.payout_reports import PayoutReport, PayoutStatus
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.flows.refund_payment import refund_payment
from bursar.flows.sign_in import SignUp, sign_up
from bursar.operations.api_keys import CreateApiKey, create_api_key
from bursar.operations.coupons import CreateCoupon, create_coupon
from bursar.operations.credit_notes import IssueCreditNote, issue_credit_note
from bursar.operations.holds import CreateHold, create_hold
from bursar.operations.imports import ImportFile, import_customers
from bursar.operations.members import InviteMember, invite_member
from bursar.operations.meters import DefineMeter, define_meter
from bursar.operations.payouts import FollowPayout, follow_payout
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.refunds import BeginRefund
from bursar.operations.saved_views import SaveView, save_view
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate
from bursar.operations.transfers import PostTransfer, post_transfer
from bursar.operations.wallets import CreateWallet, create_wallet
from bursar.operations.webhook_subscriptions import (
    SubscribeWebhook,
    TryWebhook,
    subscribe_webhook,
    try_webhook,
)
from bursar.reads.disputes import DisputeFilters, disputes
from bursar.reads.payment_methods import MethodFilters, payment_methods
from bursar.runtime.ids import new_uuid

# A file whose only row is refused, so that nobody comes with it.
NOBODY = ImportFile(FileFormat.CSV, "reference\nnobody\n")
A_VIEW = SaveView(name="Open ones", list="invoices", query="status=open")
_JOIN = """
    INSERT INTO members (org_id, id, user_id, role, status, version, sequence,
        created_at, updated_at)
    VALUES ($1, $2, $3, $4, 'active', 1, 1, now(), now())
"""


@dataclass(frozen=True)
class Asker:
    """A client, and what the access table says they may do."""

    name: str
    client: Client
    permissions: frozenset[Permission]
    is_person: bool


async def member(world: World, org: Org, role: Role, anyone: Client) -> Client:
    """Somebody else with this role in the organization."""
    email = f"{role.value}-{new_uuid().hex}@example.com"
    signed = await sign_up(world.system(None), SignUp(email, "Somebody", PASSWORD))
    assert signed.user is not None
    connection = await world.house.as_owner()
    try:
        user_id = uuid_of(signed.user.id)
        await connection.execute(_JOIN, uuid_of(org.id), new_uuid(), user_id, role.value)
    finally:
        await connection.close()
    await world.verify(signed.user.id)
    return anyone.bearing(signed.access_token, org.id)


async def key_client(org: Org, scope: str, anyone: Client) -> Client:
    """A program with this scope."""
    issued = await org.caller.run(create_api_key, CreateApiKey(name=scope, scopes=(scope,)))
    return anyone.bearing(issued.key)


async def askers(world: World, org: Org, anyone: Client) -> list[Asker]:
    """Each role and each kind of key, in one organization."""
    own = frozenset({Permission.ANYONE, Permission.SELF})
    found = [
        Asker(
            role.value,
            await member(world, org, role, anyone),
            ROLE_PERMISSIONS[role] | own,
            is_person=True,
        )
        for role in Role
    ]
    for scope in SCOPE_PERMISSIONS:
        client = await key_client(org, scope, anyone)
        allowed = SCOPE_PERMISSIONS[scope] | {Permission.ANYONE}
        found.append(Asker(scope, client, frozenset(allowed), is_person=False))
    return found


@dataclass(frozen=True)
class Things:
    """One of each thing of an organization, by the prefix of its id."""

    by_prefix: dict[str, str]

    def fill(self, value: Any) -> Any:
        """The same value with every id in it replaced by one of these."""
        match value:
            case dict():
                return {key: self.fill(each) for key, each in value.items()}
            case list():
                return [self.fill(each) for each in value]
            case str():
                return self.by_prefix.get(_prefix(value), value)
            case _:
                return value


def named_in(value: Any) -> set[str]:
    """The prefixes of the ids that stand in it."""
    match value:
        case dict():
            return set().union(*map(named_in, value.values()))
        case list():
            return set().union(*map(named_in, value))
        case str():
            return {_prefix(value)} - {""}
        case _:
            return set()


def _prefix(text: str) -> str:
    head, _, tail = text.partition("_")
    try:
        return head if len(tail) == 36 and str(UUID(tail)) == tail else ""
    except ValueError:
        return ""


async def _heard_of(org: Org) -> dict[str, str]:
    """An endpoint, what goes to it, and a list that somebody keeps an eye on."""
    command = SubscribeWebhook("https://example.com/hook", ("*",))
    endpoint = (await org.caller.run(subscribe_webhook, command)).subscription
    tried = await org.caller.run(try_webhook, TryWebhook(endpoint.id))
    view = await org.caller.run(save_view, A_VIEW)
    return {"wh": endpoint.id, "whd": tried.id, "view": view.id}


async def _told_and_booked(org: Org) -> dict[str, str]:
    """An event that was told, and an account that something was booked on."""
    connection = await org.world.house.as_owner()
    try:
        told = "SELECT id FROM events WHERE org_id = $1 AND is_public LIMIT 1"
        booked = "SELECT account_id FROM ledger_entries WHERE org_id = $1 LIMIT 1"
        org_id = uuid_of(org.id)
        event_id: UUID = await connection.fetchval(told, org_id)
        account_id: UUID = await connection.fetchval(booked, org_id)
    finally:
        await connection.close()
    return {"evt": f"evt_{event_id}", "acct": f"acct_{account_id}"}


async def _a_note(org: Org, customer: Customer) -> CreditNote:
    invoice = await org.invoice(customer, 500)
    return await org.caller.run(
        issue_credit_note, IssueCreditNote(invoice_id=invoice.id, amount_minor=5)
    )


async def things_of(org: Org, but: AbstractSet[str] = frozenset()) -> Things:
    """An organization with a draft, an open and a paid invoice, and all that comes with them.

    `but` may name the dispute (`dsp`), for which everybody's queues must run dry.
    """
    customer = await org.customer()
    paid = await org.invoice(customer)
    payment = await org.pay(paid.id)
    draft = await org.draft(customer)
    counted = DefineMeter(name="Calls", key=f"calls_{new_uuid().hex}", aggregation=Aggregation.SUM)
    meter = await org.caller.run(define_meter, counted)
    terms = PriceTerms(PricingModel.PER_UNIT, Decimal(100), meter_id=meter.id)
    plan = await org.caller.run(
        create_plan,
        CreatePlan(name="Team", interval=BillingInterval.MONTH, terms=(terms,), metadata={}),
    )
    await org.world.verify(org.user_id)
    invited = await org.caller.run(
        invite_member, InviteMember(f"{new_uuid().hex}@example.com", Role.VIEWER)
    )
    subscription = await a_subscription(org, plan)
    offered = CreateCoupon(
        name="C", duration=CouponDuration.ONCE, percent_off=Decimal(20), metadata={}
    )
    coupon = await org.caller.run(create_coupon, offered)
    taxed = CreateTaxRate(name="VAT", percent=Decimal(19), metadata={})
    tax_rate = await org.caller.run(create_tax_rate, taxed)
    issued = await org.caller.run(create_api_key, CreateApiKey(name="k", scopes=("billing:read",)))
    return Things(
        {
            "org": org.id,
            "usr": org.user_id,
            "cust": customer.id,
            "inv": draft.id,
            "mtr": meter.id,
            "plan": plan.id,
            "sub": subscription.id,
            "cpn": coupon.id,
            "rinv": (await a_recurring_invoice(org, customer)).id,
            "txr": tax_rate.id,
            "il": draft.lines[0].id,
            "cn": (await _a_note(org, customer)).id,
            "pay": payment.id,
            **({} if "dsp" in but else {"dsp": await _a_dispute(org)}),
            "rfd": await _a_refund(org, payment.id),
            "pm": await _a_method(org, customer.id),
            "po": await _a_payout(org),
            **await _stored_value(org, customer),
            **await _heard_of(org),
            "key": issued.record.id,
            "mem": invited.id,
            "imp": (await org.caller.run(import_customers, NOBODY)).id,
            **await _told_and_booked(org),
        }
    )


async def _stored_value(org: Org, customer: Customer) -> dict[str, str]:
    """A wallet with money in it, a part set aside, and a cent that went to another."""
    wallet = await org.caller.run(create_wallet, CreateWallet(name="W", customer_id=customer.id))
    await org.deposit(wallet.id, 5_000_000)
    hold = await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=100))
    goal = (await org.wallet()).id
    order = PostTransfer(from_wallet_id=wallet.id, to_wallet_id=goal, amount_minor=1)
    transfer = await org.caller.run(post_transfer, order)
    return {"wal": wallet.id, "hld": hold.id, "txn": transfer.id}


async def _a_dispute(org: Org) -> str:
    """A payment that its bank took back."""
    buyer = await org.customer("pm_card_createDispute")
    paid = await org.pay((await org.invoice(buyer)).id)
    await org.world.drain()
    found = await org.caller.look(disputes, Page(), DisputeFilters(payment_id=paid.id))
    return found.items[0].id


async def _a_method(org: Org, customer_id: CustomerId) -> str:
    """The card that a customer came with."""
    filters = MethodFilters(customer_id=customer_id)
    return (await org.caller.look(payment_methods, Page(), filters)).items[0].id


async def _a_payout(org: Org) -> str:
    """One that was called off before anything of it was ours: nothing is booked."""
    now = datetime.now(UTC)
    report = PayoutReport(
        f"po_{new_uuid().hex}", PayoutStatus.CANCELED, Money(100, Currency("usd")), now, now
    )
    told = FollowPayout("sandbox", report, ())
    return (await org.world.system(org.id).run(follow_payout, told)).id


async def _a_refund(org: Org, payment_id: PaymentId) -> str:
    """A small part of a payment, given back."""
    part = BeginRefund(payment_id=payment_id, attempt_key="thing", amount_minor=100)
    return (await refund_payment(org.caller, part)).id
