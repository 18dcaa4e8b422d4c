"""Money is weighed for the metrics, organization by organization, and never by name."""

from tests.runtime.test_telemetry import read
from tests.support.world import World

from bursar.domain.payments import PaymentMode
from bursar.jobs.weighing import Scales
from bursar.operations.payments import begin_payment
from bursar.reads.gauges import weighed


async def test_what_an_organization_has_is_weighed(world: World) -> None:
    # Wallets, books that are even, and a payment that is begun and not settled yet.
    org = await world.org()
    customer = await org.customer()
    await org.wallet(5_000, customer)
    invoice = await org.invoice(customer, 1_999)
    command = org.begin(invoice.id, PaymentMode.CHARGE)
    await org.caller.run(begin_payment, command)
    found = await world.system(org.id).look(weighed)
    assert found.wallets == {"usd": 5_000}
    assert found.imbalance == {"usd": 0}
    assert found.waiting == {("payment", "usd"): 1_999}
    await org.pay(invoice.id, key=command.attempt_key)
    after = await world.system(org.id).look(weighed)
    assert (after.imbalance, after.waiting) == ({"usd": 0}, {})


async def test_everybody_comes_in_turn_and_is_told_as_a_sum(world: World) -> None:
    # A round takes some; once all had their turn, the sum is told. (Other tests leave books that
    # are not even, on purpose: that it is zero is asked of one organization, above.)
    org = await world.org()
    await org.wallet(700)
    scales = Scales(world.app, at_once=50)
    for _ in range(100):
        assert await scales.weigh() is False
        if org.id in scales.known:
            break
    found = read(world.app.telemetry.exposition())
    assert found["wallet_balance_total{currency=usd}"] >= 700
    assert "ledger_imbalance_minor{currency=usd}" in found
