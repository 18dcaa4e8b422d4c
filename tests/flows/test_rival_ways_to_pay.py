"""A checkout page and an automatic charge race for one invoice: it is paid once, whoever wins."""

import asyncio
import sys

import pytest
from tests.support.database import installation
from tests.support.world import Org, World, open_world

from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.payments import Payment, PaymentMode
from bursar.domain.refusals import NothingToPay, PaymentInProgress
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.verify import checks
from bursar.runtime import logging

ROUNDS = 6
PROVEN_ROUNDS = 60
LONG_ROUNDS = 500


async def race(world: World, org: Org, invoice_id: InvoiceId) -> None:
    """The customer opens the page and pays on it, while the card on file is charged."""

    async def by_page() -> None:
        opened = await org.pay(invoice_id, PaymentMode.CHECKOUT)
        if opened.checkout_url is not None:
            await asyncio.sleep(0)
            world.type_card(opened.checkout_url)

    async def by_charge() -> Payment:
        return await org.pay(invoice_id, PaymentMode.CHARGE)

    ended = await asyncio.gather(by_page(), by_charge(), by_charge(), return_exceptions=True)
    wrong = [
        one
        for one in ended
        if isinstance(one, BaseException) and not isinstance(one, NothingToPay | PaymentInProgress)
    ]
    assert wrong == []


async def prove(world: World, rounds: int) -> None:
    """So many races, and what is left after each."""
    org = await world.org()
    customer = await org.customer()
    for _ in range(rounds):
        invoice = await org.invoice(customer)
        await race(world, org, invoice.id)
        await world.drain(watch=org)
        taken = [
            charge
            for charge in world.sandbox.books.all("charge")
            if charge["metadata"].get("invoice_id") == invoice.id
            and charge["status"] == "succeeded"
        ]
        assert len(taken) == 1
        settled = await org.caller.look(invoice_look, invoice.id)
        assert settled.status is InvoiceStatus.PAID
    found = await world.operator(org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []


async def test_a_page_and_a_charge_take_the_money_once(world: World) -> None:
    # One open attempt at a time: whoever comes second closes the first, or stops.
    await prove(world, ROUNDS)


@pytest.mark.proof
async def test_a_page_and_a_charge_race_many_times(world: World) -> None:
    # The same, often enough to meet what happens rarely.
    await prove(world, PROVEN_ROUNDS)


async def race_for_long() -> None:
    """By hand, `make race-payments`: five hundred races on an installation of their own."""
    logging.configure(level="error", is_development=True, stream=sys.stderr)
    async with installation() as house, open_world(house) as world:
        await prove(world, LONG_ROUNDS)
    print(f"{LONG_ROUNDS} races: one charge each, every invoice paid, every check of verify green")


if __name__ == "__main__":
    asyncio.run(race_for_long())
