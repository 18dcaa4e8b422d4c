"""What is billed by itself is taxed by the table alone, and explains itself."""

from decimal import Decimal

from tests.support.billing import a_shop
from tests.support.world import World

from bursar.domain.customers import TaxTreatment
from bursar.domain.explanations import explain
from bursar.operations.customers import UpdateCustomer, update_customer
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate


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
