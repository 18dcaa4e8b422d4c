"""What is billed by itself is taxed by the table alone, and explains itself."""

from decimal import Decimal

import pytest
from tests.support.billing import a_shop
from tests.support.world import World

from bursar.domain.customers import TaxTreatment
from bursar.domain.explanations import explain
from bursar.domain.recurring_invoices import RecurringInterval, RecurringLine
from bursar.domain.refusals import InvalidInput
from bursar.operations.customers import UpdateCustomer, update_customer
from bursar.operations.recurring_invoices import (
    CreateRecurringInvoice,
    DraftOccurrence,
    create_recurring_invoice,
    draft_occurrence,
)
from bursar.operations.tax_rates import (
    ArchiveTaxRate,
    CreateTaxRate,
    archive_tax_rate,
    create_tax_rate,
)


async def test_automatic_rates_lie_on_what_is_billed(world: World) -> None:
    # Those of the customer's country and of all; a customer who owes the tax elsewhere pays none.
    shop = await a_shop(world)
    for name, percent, country in (("VAT", 19, "DE"), ("TVA", 20, "FR"), ("Levy", 1, None)):
        command = CreateTaxRate(
            name=name, percent=Decimal(percent), country=country, is_automatic=True, metadata={}
        )
        await shop.org.caller.run(create_tax_rate, command)
    german, austrian = await shop.org.customer(), await shop.org.customer()
    home = UpdateCustomer(german.id, {"address": {"country": "DE"}})
    await shop.org.caller.run(update_customer, home)
    treatment = {"tax_treatment": TaxTreatment.REVERSE_CHARGE, "address": {"country": "DE"}}
    await shop.org.caller.run(update_customer, UpdateCustomer(austrian.id, treatment))
    plan = await shop.plan(1000)
    taxes = []
    for customer in (german, austrian):
        subscription = await shop.subscribe(plan, customer)
        invoice = await shop.bill(subscription.id)
        assert invoice is not None
        assert explain(invoice).differences == ()
        taxes.append((invoice.total.minor, [each.amount.minor for each in invoice.taxes]))
    assert await shop.wrong() == []
    assert taxes == [(1200, [190, 10]), (1000, [0, 0])]


async def test_a_template_is_taxed_by_what_it_names_or_else_by_the_table(world: World) -> None:
    # An archived rate stays with the template that has it; no new one gets it.
    org = await world.org()
    rates = []
    for name, percent, is_automatic in (("Named", 10, False), ("Usual", 20, True)):
        command = CreateTaxRate(
            name=name, percent=Decimal(percent), is_automatic=is_automatic, metadata={}
        )
        rates.append((await org.caller.run(create_tax_rate, command)).id)
    lines = tuple(
        RecurringLine("Retainer", 1, Decimal(1000), named)
        for named in (None, (), (rates[0],), tuple(rates))
    )
    begin = CreateRecurringInvoice(
        customer_id=(await org.customer(token=None)).id,
        lines=lines,
        interval=RecurringInterval.DAY,
        auto_finalize=False,
        metadata={},
    )
    template = await org.caller.run(create_recurring_invoice, begin)
    await org.caller.run(archive_tax_rate, ArchiveTaxRate(rates[0]))
    issued = await org.caller.run(draft_occurrence, DraftOccurrence(template.id))
    assert issued is not None
    assert [line.tax.minor for line in issued.invoice.lines] == [200, 0, 100, 300]
    assert explain(issued.invoice).differences == ()
    with pytest.raises(InvalidInput):
        await org.caller.run(create_recurring_invoice, begin)
