"""Collecting an invoice: charge, checkout, decline, late and lost answers, rivals."""

from tests.support.world import World

from bursar.domain.payments import PaymentMode, PaymentStatus


async def test_a_charge_pays_the_invoice(world: World) -> None:
    # One charge at the processor, one paid invoice, one succeeded payment.
    org = await world.org()
    customer = await org.customer()
    assert customer.provider_reference is not None
    invoice = await org.invoice(customer)
    assert str(invoice.number).startswith("INV-")
    payment = await org.pay(invoice.id)
    assert payment.status is PaymentStatus.SUCCEEDED
    await world.drain()


async def test_a_checkout_is_paid_on_the_hosted_page(world: World) -> None:
    # The page's outcome arrives by the processor's webhook and ends in the same door.
    org = await world.org()
    customer = await org.customer(token=None)
    invoice = await org.invoice(customer)
    payment = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert payment.checkout_url is not None
    world.type_card(payment.checkout_url)
    await world.drain()
    again = await org.pay(invoice.id, PaymentMode.CHECKOUT, key=payment.attempt_key)
    assert again.id == payment.id
    assert again.status is PaymentStatus.SUCCEEDED
