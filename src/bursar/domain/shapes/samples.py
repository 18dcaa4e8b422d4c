"""A short story in which every fact is told once, by the real rules.

The catalogue shows its events as samples. Nothing is written out by hand, so a sample cannot say
what the rules do not do.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec import structs

from bursar.domain import (
    catalog,
    customers,
    discounts,
    holds,
    ids,
    invoices,
    meters,
    orgs,
    subscriptions,
    usage,
    wallets,
    webhook_subscriptions,
)
from bursar.domain.access import Operator, Role, Standing
from bursar.domain.api_keys import ApiKeyRecord, issue
from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.customers import Customer, TaxTreatment
from bursar.domain.discounts import Coupon, CouponDuration, CouponStatus
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.holds import Hold, HoldStatus
from bursar.domain.instant_payments import record
from bursar.domain.invoice_lines import Charge, LineDetails, priced_line
from bursar.domain.invoices import Invoice, InvoiceNumber, NewDraft
from bursar.domain.members import Member, invite, new_invitation, new_owner
from bursar.domain.meters import Aggregation, Meter
from bursar.domain.money import Money, Rate
from bursar.domain.numbering import NumberScope
from bursar.domain.orgs import Mode, Organization
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier, price
from bursar.domain.shapes.sample_checkpoints import checkpoint_story
from bursar.domain.shapes.sample_clocks import clock_story
from bursar.domain.shapes.sample_dunning import by_hand, dunning_story
from bursar.domain.shapes.sample_papers import paper_story
from bursar.domain.shapes.sample_taxes import TAX_RATE, note_story, tax_story
from bursar.domain.shapes.samples_of_payments import (
    an_attempt,
    attempt_story,
    dispute_story,
    method_story,
    payout_story,
    refund_story,
)
from bursar.domain.subscriptions import Agreed, Subscription, SubscriptionStatus
from bursar.domain.times import Instant, Period
from bursar.domain.transfers import Order, Purse, Till, Transfer
from bursar.domain.usage import UsageAggregate
from bursar.domain.wallets import Provocation, Wallet, WalletStatus
from bursar.domain.webhook_subscriptions import WebhookSubscription
from bursar.domain.webhooks import RETRY_DELAYS_SECONDS

AT: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
USD: Final = Currency("usd")


def _id(prefix: str, number: int) -> str:
    return f"{prefix}_0195a1b2-c3d4-7{number:03d}-8000-0123456789ab"


ORGANIZATION: Final = Organization(
    id=ids.OrgId(_id("org", 1)),
    name="Acme Cloud",
    currency=USD,
    timezone="Europe/Berlin",
    mode=Mode.SANDBOX,
    invoice_prefix="INV",
    net_terms_days=14,
    reactivation_grace_days=30,
    is_credit_applied=True,
    dunning=None,
    invoice_grace_hours=0,
    has_zero_invoices=True,
    has_consolidated_invoices=False,
    invoice_numbering=NumberScope.ORGANIZATION,
    has_yearly_numbers=True,
    deleted_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
OWNER: Final = new_owner(ids.MemberId(_id("mem", 2)), ids.UserId(_id("usr", 3)), at=AT)
INVITED: Final = new_invitation(
    ids.MemberId(_id("mem", 11)), "ada@globex.example", Role.ACCOUNTANT, token_hash=b"", at=AT
)
API_KEY: Final = ApiKeyRecord(
    id=ids.ApiKeyId(_id("key", 4)),
    name="Billing backend",
    key_hash=b"",
    key_prefix="bsk_7fKd",
    scopes=("billing:read", "billing:write"),
    allowed_addresses=(),
    successor_id=None,
    expires_at=None,
    last_used_at=None,
    revoked_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
CUSTOMER: Final = Customer(
    id=ids.CustomerId(_id("cust", 5)),
    email="billing@globex.example",
    name="Globex Corporation",
    currency=USD,
    tax_id="DE123456789",
    tax_treatment=TaxTreatment.TAXABLE,
    address={"line1": "Hauptstraße 1", "city": "Berlin", "country": "DE"},
    metadata={"crmId": "C-1001"},
    provider_reference=None,
    method_reference=None,
    method_id=None,
    deleted_at=None,
    erased_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
METER: Final = Meter(
    id=ids.MeterId(_id("mtr", 11)),
    name="API calls",
    key="api_calls",
    aggregation=Aggregation.SUM,
    property_name=None,
    thresholds=(1_000_000,),
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
PLAN: Final = Plan(
    id=ids.PlanId(_id("plan", 12)),
    name="Team",
    description="Seats, and API calls beyond the first thousand.",
    status=PlanStatus.ACTIVE,
    currency=USD,
    interval=BillingInterval.MONTH,
    trial_days=14,
    price_version=1,
    prices=(
        price(
            ids.PriceId(_id("price", 13)),
            PriceTerms(PricingModel.PER_UNIT, unit_amount=Decimal(1900)),
        ),
        price(
            ids.PriceId(_id("price", 14)),
            PriceTerms(
                PricingModel.GRADUATED,
                tiers=(Tier(1000, Decimal(0)), Tier(None, Decimal("0.25"))),
                meter_id=METER.id,
                name="API calls",
            ),
        ),
    ),
    metadata={},
    archived_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)


_STARTED: Final = datetime(2026, 3, 1, 23, tzinfo=UTC)
_AGREED: Final = Agreed(PLAN.id, PLAN.price_version, quantity=5)


def _agreed(status: SubscriptionStatus, trial_end: Instant | None = None) -> Subscription:
    return Subscription(
        id=ids.SubscriptionId(_id("sub", 15)),
        customer_id=CUSTOMER.id,
        agreed=_AGREED,
        agreed_since=_STARTED,
        status=status,
        anchor_day=2,
        anchored_at=trial_end or _STARTED,
        started_at=_STARTED,
        period=Period(_STARTED, datetime(2026, 4, 1, 22, tzinfo=UTC)),
        charged=None if trial_end else _AGREED,
        scheduled=None,
        coupons=(),
        trial_end=trial_end,
        cancel_at_period_end=False,
        cancel_reason=None,
        canceled_at=None,
        paused_at=None,
        ended_at=None,
        metadata={},
        version=1,
        sequence=0,
        created_at=AT,
        updated_at=AT,
    )


SUBSCRIPTION: Final = _agreed(SubscriptionStatus.ACTIVE)
_NEXT: Final = Period(datetime(2026, 4, 1, 22, tzinfo=UTC), datetime(2026, 5, 1, 22, tzinfo=UTC))
COUPON: Final = Coupon(
    id=ids.CouponId(_id("cpn", 17)),
    name="Spring",
    percent_off=Rate(Decimal(20)),
    amount_off=None,
    duration=CouponDuration.REPEATING,
    months=3,
    status=CouponStatus.ACTIVE,
    metadata={},
    archived_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
AGGREGATE: Final = UsageAggregate(
    id=ids.UsageAggregateId(_id("ua", 16)),
    subscription_id=SUBSCRIPTION.id,
    meter_id=METER.id,
    period=SUBSCRIPTION.period,
    threshold=1_000_000,
    quantity=1_000_312,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
_ZERO: Final = Money.zero(USD)
VAT: Final = TAX_RATE.terms
DRAFT: Final = invoices.with_lines(
    NewDraft(id=ids.InvoiceId(_id("inv", 6)), customer_id=CUSTOMER.id, currency=USD, at=AT).blank(),
    [
        priced_line(
            ids.InvoiceLineId(_id("il", 7)),
            Charge("Onboarding", 2, Decimal(14900)),
            USD,
            LineDetails(terms=[VAT]),
        ),
        priced_line(
            ids.InvoiceLineId(_id("il", 8)), Charge("API calls", 1204, Decimal("0.25")), USD
        ),
    ],
    reductions=[COUPON.reduction],
    terms=[VAT],
)
WALLET: Final = Wallet(
    id=ids.WalletId(_id("wal", 11)),
    account_id=ids.AccountId(_id("acct", 12)),
    customer_id=CUSTOMER.id,
    user_id=None,
    name="Prepaid credits",
    status=WalletStatus.OPEN,
    balance=_ZERO,
    held=_ZERO,
    provoke_credit=Provocation.NONE,
    transfer_limit=None,
    daily_limit=Money(500_000, USD),
    metadata={},
    closed_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
HOLD: Final = Hold(
    id=ids.HoldId(_id("hld", 13)),
    wallet_id=WALLET.id,
    status=HoldStatus.OPEN,
    amount=Money(2_000, USD),
    captured=_ZERO,
    description="Deposit for the rental",
    metadata={},
    expires_at=AT + timedelta(days=7),
    settled_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)
WEBHOOK: Final = WebhookSubscription(
    id=ids.WebhookSubscriptionId(_id("wh", 9)),
    url="https://globex.example/hooks/billing",
    event_types=("invoice.paid", "payment.failed"),
    description="Access control",
    retry_delays_seconds=RETRY_DELAYS_SECONDS,
    has_body_signature=True,
    secret_sealed=b"",
    former_secret_sealed=None,
    former_secret_until=None,
    is_active=True,
    paused_at=None,
    off_reason=None,
    off_at=None,
    deleted_at=None,
    version=1,
    sequence=0,
    created_at=AT,
    updated_at=AT,
)


def _organization() -> Iterator[Change]:
    yield orgs.found(ORGANIZATION, OWNER)
    yield _made(ORGANIZATION.renamed(name="Acme Cloud GmbH"))
    yield from _team()
    yield from clock_story(AT)
    yield from checkpoint_story(ORGANIZATION.id, AT)


def story() -> Iterator[Change]:
    """Everything that can happen, as the rules tell it."""
    yield from _organization()
    yield _made(ORGANIZATION.delete(unfinished={}, at=AT))
    by = Standing(Operator("sample"), None)
    yield issue(API_KEY, by=by, at=AT)
    yield _made(API_KEY.revoke(AT))
    successor = replace(API_KEY, id=ids.ApiKeyId(_id("key", 13)))
    yield API_KEY.rotate(successor, by=by, overlap=timedelta(days=1), at=AT)
    yield customers.register(CUSTOMER)
    yield _made(CUSTOMER.link("cus_Rv8sJd2KqLm4Np"))
    yield from method_story(CUSTOMER)
    yield _made(CUSTOMER.delete(open_invoices=0, at=AT))
    yield _made(CUSTOMER.erase(open_invoices=0, at=AT))
    yield webhook_subscriptions.subscribe(WEBHOOK)
    yield _made(WEBHOOK.edit(replace(WEBHOOK, event_types=("*",))))
    yield _made(WEBHOOK.pause(AT))
    yield _made(replace(WEBHOOK, paused_at=AT).resume())
    yield from (WEBHOOK.rotate(b"", AT), WEBHOOK.test(), WEBHOOK.replay())
    yield _made(WEBHOOK.switch_off(webhook_subscriptions.OffReason.GONE, AT))
    yield _made(WEBHOOK.delete(AT))
    yield meters.define(METER)
    yield catalog.publish(PLAN)
    yield _made(PLAN.edit(replace(PLAN, name="Team plus")))
    yield PLAN.archive(AT)
    yield from _subscription()
    yield usage.tell(AGGREGATE)
    yield discounts.offer(COUPON)
    yield COUPON.archive(AT)
    yield from tax_story()
    yield invoices.draft(DRAFT)
    yield _made(DRAFT.edit(replace(DRAFT, memo="Thank you.")))
    finalized = DRAFT.finalize(InvoiceNumber("INV-2026", 7), due_at=AT + timedelta(days=14), at=AT)
    yield finalized
    (opened,) = finalized.rows
    assert isinstance(opened, Invoice)
    yield opened.void(AT)
    yield from note_story(opened)
    yield from paper_story(ORGANIZATION.id, draft=DRAFT, opened=opened)
    yield from attempt_story(opened, AT)
    yield record(by_hand(an_attempt(opened, AT), AT), opened, AT)
    yield opened.write_off(AT)
    yield from dunning_story(opened, ids.DunningCaseId(_id("dun", 14)), AT)
    yield from refund_story(an_attempt(opened, AT), opened)
    yield from dispute_story(an_attempt(opened, AT), opened)
    yield from payout_story(USD, AT)
    yield from _wallet_moves()
    yield from _transfers()


def _team() -> Iterator[Change]:
    by = Standing(Operator("sample"), None)
    yield invite(INVITED, by=by)
    joined = INVITED.accept(ids.UserId(_id("usr", 12)), "ada@globex.example", AT)
    yield joined
    (member,) = joined.rows
    assert isinstance(member, Member)
    yield _made(member.change_role(Role.ADMIN, by=by, other_owners=1))
    yield member.remove(by=by, other_owners=1)
    yield member.leave(other_owners=1)


def _subscription() -> Iterator[Change]:
    yield subscriptions.subscribe(SUBSCRIPTION)
    yield SUBSCRIPTION.renew(_NEXT)
    yield SUBSCRIPTION.pause(AT)
    paused = replace(SUBSCRIPTION.to(SubscriptionStatus.PAUSED), paused_at=AT)
    yield paused.resume(AT)
    yield SUBSCRIPTION.fall_behind()
    yield SUBSCRIPTION.to(SubscriptionStatus.PAST_DUE).recover()
    yield _agreed(SubscriptionStatus.TRIALING, _NEXT.start).end_trial(_NEXT)
    yield SUBSCRIPTION.cancel(AT)
    regretted = replace(SUBSCRIPTION, cancel_at_period_end=True, canceled_at=AT)
    yield regretted.keep()


def _transfers() -> Iterator[Change]:
    payer = Purse(
        wallet_id=WALLET.id, currency=USD, balance_minor=10_000, held_minor=0, is_open=True
    )
    receiver = structs.replace(payer, wallet_id=ids.WalletId(_id("wal", 12)))
    till = Till(
        {payer.wallet_id: payer, receiver.wallet_id: receiver}, at=AT, wall=AT, is_sandbox=True
    )
    order = Order(
        transfer_id=ids.TransferId(_id("txn", 13)),
        from_wallet_id=payer.wallet_id,
        to_wallet_id=receiver.wallet_id,
        amount_minor=2_500,
        description="Lunch",
    )
    yield till.take(order)
    refused = till.take(structs.replace(order, metadata={"provoke": "refuse"}))
    yield refused
    (debited,) = refused.rows
    assert isinstance(debited, Transfer)
    yield _made(till.settle(debited))


def _wallet_moves() -> Iterator[Change]:
    yield wallets.open_wallet(WALLET, is_sandbox=True)
    yield _made(WALLET.edit(replace(WALLET, name="Credits"), is_sandbox=True))
    yield WALLET.deposit(Money(5_000, USD), AT)
    full, late = WALLET.receive(Money(5_000, USD))
    yield Change(rows=(full,), events=late)
    bank = wallets.outside(USD, is_sandbox=True)
    yield full.withdraw(Money(1_000, USD), AT, goal=bank)
    closing = WALLET.close(AT, open_deposits=0)
    yield closing
    (closed,) = closing.rows
    assert isinstance(closed, Wallet)
    opened, late = closed.receive(Money(5_000, USD))
    yield Change(rows=(opened,), events=late)
    yield holds.authorize(HOLD, full, wall=AT)
    yield HOLD.capture(full, Money(1_500, USD), AT, goal=bank)
    yield HOLD.release(AT)
    yield _made(HOLD.expire(AT, wall=AT + timedelta(days=8)))


def _made(change: Change | None) -> Change:
    assert change is not None, "every step of the story changes something"
    return change


SAMPLES: Final[dict[str, Event]] = {
    event.name: event for change in reversed(tuple(story())) for event in change.events
}
"""One event of each name: the first of the story."""
