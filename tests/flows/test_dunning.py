"""An automatic payment fails: what is done about it, until somebody pays or nobody will."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from tests.support.billing import Shop
from tests.support.sandbox import control
from tests.support.world import World

from bursar.domain.customers import Customer
from bursar.domain.dunning import DunningCase, Resolution
from bursar.domain.dunning_policies import DunningAction
from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus, Receipt, ReceiptMethod
from bursar.domain.provider import DeclineKind
from bursar.domain.refusals import IllegalTransition, NotFound, PaymentInProgress
from bursar.domain.shapes.events import event_body
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.operations.credit_notes import IssueCreditNote, issue_credit_note
from bursar.operations.dunning import (
    PauseDunning,
    SteerDunning,
    pause_dunning,
    resolve_dunning,
    resume_dunning,
    retry_now,
)
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.manual_payments import RecordPayment, record_payment
from bursar.operations.write_offs import WriteOff, write_off_invoice
from bursar.reads.dunning import dunning_case
from bursar.reads.events import FeedFilters, events
from bursar.reads.invoices import invoice
from bursar.reads.payments import PaymentFilters, payments
from bursar.reads.subscriptions import subscription
from bursar.reads.verify import checks

GOOD = "pm_card_visa"
BAD = "pm_card_chargeCustomerFail"
ASKING = "pm_card_authenticationRequired"


@dataclass
class Debt:
    """A subscription whose first invoice could not be collected, and everybody around it."""

    shop: Shop
    customer: Customer
    subscription: Subscription
    invoice_id: InvoiceId

    @property
    def world(self) -> World:
        return self.shop.world

    async def case(self) -> DunningCase:
        return await self.shop.org.caller.look(dunning_case, self.invoice_id)

    async def invoice(self) -> Invoice:
        return await self.shop.org.caller.look(invoice, self.invoice_id)

    async def status(self) -> SubscriptionStatus:
        found = await self.shop.org.caller.look(subscription, self.subscription.id)
        return found.status

    async def attempts(self) -> tuple[Payment, ...]:
        """Everything that was tried."""
        found = await self.shop.org.caller.look(
            payments, Page(size=50, is_cursor=True), PaymentFilters(invoice_id=self.invoice_id)
        )
        return found.items

    async def tries(self) -> int:
        """How often the card was charged, or tried to be."""
        return sum(each.mode is PaymentMode.CHARGE for each in await self.attempts())

    async def failures(self) -> list[str]:
        """The reason of each `payment.failed` that whoever listens was told."""
        filters = FeedFilters(types=("payment.failed",))
        told = await self.shop.org.caller.look(events, after=None, limit=100, filters=filters)
        said = [msgspec.json.decode(event_body(each)) for each in told.items]
        return [each["data"]["failureCode"] for each in said]

    async def wait(self, *, watch: bool = False, **time: float) -> None:
        """Business time goes on, and everything that is due is done; watchdogs need not wait."""
        self.shop.now += timedelta(**time)
        await self.shop.org.advance(self.shop.now, watch=watch)

    async def use(self, token: str) -> None:
        """Another payment method, the default from now on."""
        await attach_method(self.shop.org.caller, AttachMethod(self.customer.id, token))
        await self.world.drain()

    def notices(self) -> list[str]:
        """What the customer was written, notice by notice."""
        return [
            each.kind.removeprefix("dunning_")
            for each in self.world.mailbox.letters
            if each.kind.startswith("dunning_") and each.recipient == self.customer.email
        ]

    async def told(self) -> Counter[str]:
        """What was told of the case, by name."""
        connection = await self.world.house.as_owner()
        try:
            rows = await connection.fetch(
                "SELECT type FROM events WHERE resource_type = 'dunning' AND resource_id ="
                " (SELECT id FROM dunning_cases WHERE invoice_id = $1::text::uuid)",
                self.invoice_id.removeprefix("inv_"),
            )
        finally:
            await connection.close()
        return Counter(row["type"] for row in rows)

    async def wrong(self) -> list[str]:
        found = await self.world.operator(self.shop.org.id).look(checks)
        return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def a_debt(world: World, token: str = BAD) -> Debt:
    shop = Shop(await world.org())
    await shop.org.freeze(shop.now)
    customer = await shop.org.customer(token)
    subscription = await shop.subscribe(await shop.plan(4_900), customer)
    await world.drain()
    (made,) = await shop.invoices()
    return Debt(shop, customer, subscription, made.id)


async def test_forty_days_of_nobody_paying(world: World) -> None:
    # The first decline, five tries, a notice, the pause, the end and the loss; each at its time.
    debt = await a_debt(world)
    case = await debt.case()
    assert (case.retry_count, case.policy.retries_max) == (0, 5)
    assert case.next_at == debt.shop.now + timedelta(hours=1)
    assert (await debt.status(), await debt.tries()) == (SubscriptionStatus.PAST_DUE, 1)
    for number, hours in enumerate((1, 5, 30, 120, 720), 1):
        await debt.wait(hours=hours, minutes=-1)
        assert await debt.tries() == number, "not a minute early"
        await debt.wait(minutes=1)
        assert await debt.tries() == number + 1
        case = await debt.case()
        assert (case.retry_count, case.step) == (number, number if number < 5 else 6)
    assert debt.notices() == ["notice"]
    assert (case.current_action, await debt.status()) == (DunningAction.PAUSE, "past_due")
    await debt.wait(days=1)
    assert (await debt.status(), debt.notices()[-1]) == (SubscriptionStatus.PAUSED, "pause")
    await debt.wait(days=1)
    assert (await debt.status(), debt.notices()[-1]) == (SubscriptionStatus.CANCELED, "end")
    assert (await debt.invoice()).status is InvoiceStatus.OPEN
    await debt.wait(days=1)
    assert (await debt.invoice()).status is InvoiceStatus.UNCOLLECTIBLE
    case = await debt.case()
    assert (case.resolution, case.next_at) == (Resolution.UNCOLLECTIBLE, None)
    assert await debt.tries() == 6
    assert await debt.told() == {
        "dunning.started": 1,
        "dunning.retry_scheduled": 5,
        "dunning.notified": 1,
        "dunning.escalated": 4,
        "dunning.resolved": 1,
    }
    await debt.wait(days=30)
    assert await debt.tries() == 6
    assert await debt.wrong() == []


async def test_another_card_is_tried_at_once(world: World) -> None:
    # No waiting for the plan: paid, resolved, and the subscription is behind no more.
    debt = await a_debt(world)
    await debt.wait(hours=1)
    await debt.use(GOOD)
    assert (await debt.invoice()).status is InvoiceStatus.PAID
    case = await debt.case()
    assert (case.resolution, case.resolved_at) == (Resolution.PAID, debt.shop.now)
    assert await debt.status() is SubscriptionStatus.ACTIVE
    assert (await debt.told())["dunning.resolved"] == 1
    await debt.wait(days=10)
    assert await debt.tries() == 3
    assert await debt.wrong() == []


async def test_a_card_that_needs_its_owner_is_not_charged_again(world: World) -> None:
    # At the time of each try the customer is asked instead.
    debt = await a_debt(world, ASKING)
    case = await debt.case()
    assert case.decline_kind is DeclineKind.AUTHENTICATION
    assert case.current_action is DunningAction.NOTIFY
    await debt.wait(hours=1)
    await debt.wait(hours=5)
    assert (await debt.tries(), debt.notices()) == (1, ["notice", "notice"])
    assert (await debt.case()).retry_count == 0


async def test_an_outage_is_no_step(world: World) -> None:
    # The line is cut for every request of a try: nothing is counted, and the try is made again.
    debt = await a_debt(world)
    path, often = "/v1/payment_intents", 100_000
    control(world.sandbox, "POST", "faults", kind="drop_before", path=path, times=often)
    await debt.wait(hours=1, watch=True)
    before = await debt.case()
    assert (before.retry_count, before.step) == (0, 0)
    control(world.sandbox, "DELETE", "faults")
    await world.drain(watch=debt.shop.org)
    await debt.wait(minutes=15)
    after = await debt.case()
    assert (after.retry_count, after.step) == (1, 1)


async def test_an_outage_at_the_first_charge(world: World) -> None:
    # Nobody hears of a failure while nobody knows: the attempt and the invoice stay open, asking is
    # put off, and no plan begins. Then the bank's reason is told, and the plan schedules a retry.
    shop = Shop(await world.org())
    await shop.org.freeze(shop.now)
    customer, plan = await shop.org.customer(BAD), await shop.plan(4_900)
    control(
        world.sandbox, "POST", "faults", kind="drop_before", path="/v1/payment_intents", times=9_999
    )
    subscription = await shop.subscribe(plan, customer)
    await world.drain()
    (made,) = await shop.invoices()
    debt = Debt(shop, customer, subscription, made.id)
    await world.drain(watch=shop.org)
    (open_one,) = await debt.attempts()
    assert (open_one.status, open_one.watch_step) == (PaymentStatus.PENDING, 0)
    assert ((await debt.invoice()).status, await debt.failures()) == (InvoiceStatus.OPEN, [])
    with pytest.raises(NotFound):
        await debt.case()
    control(world.sandbox, "DELETE", "faults")
    await world.drain(watch=shop.org)
    assert await debt.failures() == ["generic_decline"]
    assert (await debt.invoice()).status is InvoiceStatus.OPEN
    case = await debt.case()
    assert (case.current_action, case.retry_count) == (DunningAction.RETRY, 0)
    assert case.next_at == shop.now + timedelta(hours=1)
    assert len(await debt.attempts()) == 1
    assert await debt.wrong() == []


async def test_nothing_is_tried_while_a_page_is_open(world: World) -> None:
    # The customer is at the checkout: no charge beside it; when they leave, the plan goes on.
    debt = await a_debt(world)
    page = await debt.shop.org.pay(debt.invoice_id, PaymentMode.CHECKOUT)
    await debt.wait(hours=1)
    assert await debt.tries() == 1
    with pytest.raises(PaymentInProgress):
        await debt.shop.org.caller.run(retry_now, SteerDunning(debt.invoice_id))
    assert page.session_reference is not None
    await world.provider.close_checkout(page.session_reference)
    await world.drain(watch=debt.shop.org)
    assert await debt.tries() == 2
    assert await debt.wrong() == []


async def test_a_payment_on_the_page_ends_it(world: World) -> None:
    # In whatever way it is paid, nothing is tried any more.
    debt = await a_debt(world)
    page = await debt.shop.org.pay(debt.invoice_id, PaymentMode.CHECKOUT)
    assert page.checkout_url is not None
    world.type_card(page.checkout_url)
    await world.drain()
    assert (await debt.case()).resolution is Resolution.PAID
    assert await debt.status() is SubscriptionStatus.ACTIVE


@pytest.mark.parametrize("way", ["recorded", "void", "by_hand", "lost", "noted"])
async def test_every_way_out(way: str, world: World) -> None:
    # Recorded by an accountant, taken back, resolved by hand: it ends, and stays so.
    debt = await a_debt(world)
    caller = debt.shop.org.caller
    if way == "recorded":
        receipt = Receipt(ReceiptMethod.BANK_TRANSFER, debt.shop.now)
        await caller.run(record_payment, RecordPayment(debt.invoice_id, 4_900, receipt))
    elif way == "void":
        await caller.run(void_invoice, VoidInvoice(debt.invoice_id))
    elif way == "noted":
        note = IssueCreditNote(invoice_id=debt.invoice_id, reason="never used")
        await caller.run(issue_credit_note, note)
    elif way == "lost":
        await caller.run(write_off_invoice, WriteOff(debt.invoice_id))
    else:
        await caller.run(resolve_dunning, SteerDunning(debt.invoice_id))
    ended = {
        "recorded": Resolution.PAID,
        "void": Resolution.VOIDED,
        "by_hand": Resolution.BY_HAND,
        "lost": Resolution.UNCOLLECTIBLE,
        "noted": Resolution.PAID,
    }
    assert (await debt.case()).resolution is ended[way]
    is_lost = way == "lost"
    assert (await debt.status() is SubscriptionStatus.PAST_DUE) == is_lost
    assert await debt.wrong() == []
    await debt.wait(days=40)
    assert await debt.tries() == 1
    with pytest.raises(IllegalTransition):
        await caller.run(retry_now, SteerDunning(debt.invoice_id))


async def test_paused_by_hand_and_tried_by_hand(world: World) -> None:
    # Paused, its time passes and nothing happens; resumed, it happens; and now means now.
    debt = await a_debt(world)
    caller = debt.shop.org.caller
    await caller.run(pause_dunning, PauseDunning(debt.invoice_id, "on holiday"))
    await debt.wait(days=3)
    assert await debt.tries() == 1
    await caller.run(resume_dunning, SteerDunning(debt.invoice_id))
    await world.drain()
    assert await debt.tries() == 2
    await caller.run(retry_now, SteerDunning(debt.invoice_id))
    await world.drain()
    assert await debt.tries() == 3
    assert (await debt.case()).retry_count == 2


async def test_a_pause_of_ours_ends_with_the_debt(world: World) -> None:
    # The subscription rested because nobody paid; it goes on as soon as somebody does.
    debt = await a_debt(world)
    for hours in (1, 5, 30, 120, 720, 24):
        await debt.wait(hours=hours)
    assert await debt.status() is SubscriptionStatus.PAUSED
    await debt.use(GOOD)
    assert (await debt.invoice()).status is InvoiceStatus.PAID
    assert await debt.status() is SubscriptionStatus.ACTIVE
    assert await debt.wrong() == []
