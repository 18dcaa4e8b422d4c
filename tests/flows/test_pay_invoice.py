"""Collecting an invoice: charge, checkout, decline, late and lost answers, rivals."""

from collections.abc import Awaitable, Callable

import pytest
from tests.support.sandbox import browse, control
from tests.support.world import Org, World

from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus
from bursar.domain.refusals import CustomerHasNoMethod, NothingToPay, PaymentInProgress
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.write_offs import WriteOff, write_off_invoice
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.payments import PaymentFilters, payment, payments
from bursar.reads.verify import checks

SLOW_BAD_CARD = "4000900000000029"
ASKING_CARD = "4000002760003184"

GiveUp = Callable[[Org, InvoiceId], Awaitable[None]]


async def now(org: Org, paid: Payment) -> Payment:
    """The attempt as it is."""
    return await org.caller.look(payment, paid.id)


async def invoice_now(org: Org, invoice_id: InvoiceId) -> Invoice:
    return await org.caller.look(invoice_look, invoice_id)


def charges(world: World, invoice: Invoice) -> int:
    """How often the processor took money for an invoice."""
    return sum(
        charge["metadata"].get("invoice_id") == invoice.id and charge["status"] == "succeeded"
        for charge in world.sandbox.books.all("charge")
    )


async def verify(world: World, org: Org) -> list[str]:
    """What our own checks find wrong."""
    found = await world.operator(org.id).look(checks)
    return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def _void(org: Org, invoice_id: InvoiceId) -> None:
    await org.caller.run(void_invoice, VoidInvoice(invoice_id))


async def _write_off(org: Org, invoice_id: InvoiceId) -> None:
    await org.caller.run(write_off_invoice, WriteOff(invoice_id))


async def test_a_charge_pays_the_invoice(world: World) -> None:
    # One charge at the processor, one paid invoice, one succeeded payment.
    org = await world.org()
    customer = await org.customer()
    assert customer.provider_reference is not None
    invoice = await org.invoice(customer)
    assert str(invoice.number).startswith("INV-")
    paid = await org.pay(invoice.id)
    assert paid.status is PaymentStatus.SUCCEEDED
    await world.drain()
    assert (await invoice_now(org, invoice.id)).status is InvoiceStatus.PAID
    assert charges(world, invoice) == 1
    assert await verify(world, org) == []


async def test_a_checkout_is_paid_on_the_hosted_page(world: World) -> None:
    # The page's outcome arrives by the processor's webhook and ends in the same door.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    world.type_card(opened.checkout_url)
    await world.drain()
    again = await org.pay(invoice.id, PaymentMode.CHECKOUT, key=opened.attempt_key)
    assert again.id == opened.id
    assert again.status is PaymentStatus.SUCCEEDED


async def test_a_challenge_on_the_page_is_part_of_it(world: World) -> None:
    # The cardholder's bank asks; the attempt stays the same one until the page is done.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    challenge = world.type_card(opened.checkout_url, ASKING_CARD)
    await world.drain()
    assert (await now(org, opened)).status is PaymentStatus.PENDING
    browse(world.sandbox, "POST", challenge, outcome="complete")
    await world.drain()
    assert (await now(org, opened)).status is PaymentStatus.SUCCEEDED


async def test_a_declined_card_ends_the_attempt(world: World) -> None:
    # The reason is kept; the invoice stays open, and another request begins another attempt.
    org = await world.org()
    customer = await org.customer("pm_card_chargeCustomerFail")
    invoice = await org.invoice(customer)
    failed = await org.pay(invoice.id)
    assert (failed.status, failed.failure_code) == (PaymentStatus.FAILED, "generic_decline")
    assert (await invoice_now(org, invoice.id)).status is InvoiceStatus.OPEN
    again = await org.pay(invoice.id)
    assert again.id != failed.id
    await world.drain()
    assert charges(world, invoice) == 0


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "error_after", "error_before"])
async def test_the_watchdog_finds_a_lost_answer(fault: str, world: World) -> None:
    # Whether the processor acted or not, the same key finds it out, and money moves once.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    control(world.sandbox, "POST", "faults", kind=fault, path="/v1/payment_intents", times=1)
    lost = await org.pay(invoice.id)
    assert lost.status is PaymentStatus.PENDING
    world.sandbox.take_deliveries()  # and no event ever comes
    await world.drain(watch=org)
    assert (await now(org, lost)).status is PaymentStatus.SUCCEEDED
    assert (await invoice_now(org, invoice.id)).status is InvoiceStatus.PAID
    assert charges(world, invoice) == 1
    assert await verify(world, org) == []


async def test_only_its_own_request_rejoins_an_attempt(world: World) -> None:
    # The same request sent again goes on with its attempt; anyone else hears of it and stops.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    control(
        world.sandbox, "POST", "faults", kind="drop_before", path="/v1/payment_intents", times=1
    )
    lost = await org.pay(invoice.id, key="first")
    with pytest.raises(PaymentInProgress) as refused:
        await org.pay(invoice.id, key="second")
    assert refused.value.facts["paymentId"] == lost.id
    again = await org.pay(invoice.id, key="first")
    assert (again.id, again.status) == (lost.id, PaymentStatus.SUCCEEDED)
    with pytest.raises(NothingToPay):
        await org.pay(invoice.id, key="second")
    assert charges(world, invoice) == 1


async def test_a_charge_closes_the_open_page_first(world: World) -> None:
    # The page is expired at the processor before the card is charged; nobody can pay twice.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    charged = await org.pay(invoice.id)
    assert charged.status is PaymentStatus.SUCCEEDED
    assert (await now(org, opened)).status is PaymentStatus.FAILED
    world.type_card(opened.checkout_url)
    await world.drain(watch=org)
    assert charges(world, invoice) == 1
    assert await verify(world, org) == []


async def test_a_page_that_was_paid_meanwhile_is_the_payment(world: World) -> None:
    # The customer was faster than the charge that came to close the page.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    world.type_card(opened.checkout_url)
    with pytest.raises(NothingToPay):
        await org.pay(invoice.id)
    await world.drain()
    assert (await now(org, opened)).status is PaymentStatus.SUCCEEDED
    assert charges(world, invoice) == 1


async def test_voiding_closes_the_page(world: World) -> None:
    # A page without an invoice can not be paid any more.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    await _void(org, invoice.id)
    await world.drain()
    world.type_card(opened.checkout_url)
    await world.drain()
    assert (await now(org, opened)).status is PaymentStatus.FAILED
    assert charges(world, invoice) == 0
    assert await verify(world, org) == []


async def test_the_page_says_why_it_refused_a_card(world: World) -> None:
    # The reason is there at once, by the processor's event; another card pays, and it is gone.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    world.type_card(opened.checkout_url, "4000000000009995")
    await world.drain()
    refused = await now(org, opened)
    assert (refused.status, refused.failure_code) == (PaymentStatus.PENDING, "insufficient_funds")
    world.type_card(opened.checkout_url)
    await world.drain()
    paid = await now(org, opened)
    assert (paid.status, paid.failure_code) == (PaymentStatus.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("give_up", "status"),
    [(_void, InvoiceStatus.VOID), (_write_off, InvoiceStatus.UNCOLLECTIBLE)],
)
async def test_money_for_an_invoice_that_was_given_up_is_credit(
    world: World, give_up: GiveUp, status: InvoiceStatus
) -> None:
    # The answer was lost, the invoice given up, and then the charge turns out to have succeeded.
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    control(world.sandbox, "POST", "faults", kind="drop_after", path="/v1/payment_intents", times=1)
    lost = await org.pay(invoice.id)
    await give_up(org, invoice.id)
    await world.drain(watch=org)
    settled = await now(org, lost)
    assert (settled.status, settled.is_credited) == (PaymentStatus.SUCCEEDED, True)
    assert (await invoice_now(org, invoice.id)).status is status
    assert await verify(world, org) == []


async def test_a_slow_card_that_fails_on_the_page_ends_the_attempt(world: World) -> None:
    # The page was over when the card was taken; no event comes, and the watchdog hears of the end.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    opened = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert opened.checkout_url is not None
    world.type_card(opened.checkout_url, SLOW_BAD_CARD)
    control(world.sandbox, "POST", "clock", advance=61)
    world.sandbox.take_deliveries()
    await world.drain(watch=org)
    ended = await now(org, opened)
    assert (ended.status, ended.failure_code) == (PaymentStatus.FAILED, "insufficient_funds")


async def test_a_customer_without_a_method_cannot_be_charged(world: World) -> None:
    # Nothing is begun, so nothing has to be closed.
    org = await world.org()
    invoice = await org.invoice(await org.customer(token=None))
    with pytest.raises(CustomerHasNoMethod):
        await org.pay(invoice.id)
    found = await org.caller.look(payments, Page(), PaymentFilters(invoice_id=invoice.id))
    assert found.items == ()
