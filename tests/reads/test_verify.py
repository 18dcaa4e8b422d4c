"""Everything is green for an organization that lived, and each planted fault is named."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest
from tests.support.agreements import a_meter, a_plan, a_subscription, per_unit
from tests.support.database import Installation, beside
from tests.support.world import Org, World, open_world

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.meters import Aggregation
from bursar.domain.payments import PaymentMode
from bursar.domain.pricing import PriceTerms, PricingModel
from bursar.domain.usage import UsageReport
from bursar.domain.verification import Check, compared
from bursar.flows.refund_payment import refund_payment
from bursar.jobs import dispatch
from bursar.operations.billing_runs import BillOne, bill_subscription
from bursar.operations.holds import CreateHold, create_hold
from bursar.operations.invoices import VoidInvoice, void_invoice
from bursar.operations.refunds import BeginRefund
from bursar.operations.subscriptions import CreateSubscription, create_subscription
from bursar.operations.transfers import PostTransfer, post_transfer
from bursar.operations.usage import CheckUsage, IngestUsage, check_thresholds, ingest_usage
from bursar.reads.verify import CHAIN, CHECKS, COVERED, DERIVED, checks, collected
from bursar.runtime.app import Look
from bursar.runtime.db import ReadTx
from bursar.runtime.sql import Query

NAMES = [name for name, _ in CHECKS]
OTHERS = [COVERED, DERIVED, CHAIN]
CHANGED = re.compile(r"(?:UPDATE|INSERT INTO|DELETE FROM) (\w+) ")
# What a superuser could do behind our back, and which check says so.
FAULTS = {
    "every posting sums to zero": "UPDATE ledger_entries SET amount_minor = amount_minor + 1"
    " WHERE org_id = $1 AND amount_minor > 0",
    "the trial balance is zero": "DELETE FROM ledger_entries"
    " WHERE org_id = $1 AND amount_minor > 0",
    "balances are the sum of their entries": "UPDATE ledger_accounts"
    " SET floor_minor = 0, balance_minor = 5 WHERE org_id = $1 AND code = 'revenue'",
    "what is carried forward is the sum of its entries": "INSERT INTO ledger_folds"
    " SELECT org_id, id, 7, 0, '00000000-0000-7000-8000-000000000000' FROM ledger_accounts"
    " WHERE org_id = $1 AND code = 'revenue'",
    "receivables are what is due on open invoices": "UPDATE invoices SET status = 'open',"
    " paid_minor = 0, paid_at = NULL WHERE org_id = $1 AND status = 'paid'",
    "credit is what payments and documents brought": "UPDATE payments SET credited_minor = 1"
    " WHERE org_id = $1 AND status = 'succeeded'",
    "processor accounts are what payments brought": "UPDATE payments"
    " SET amount_minor = amount_minor + 1 WHERE org_id = $1 AND status = 'succeeded'",
    "payments were given back what their refunds say": "UPDATE refunds"
    " SET amount_minor = amount_minor + 1 WHERE org_id = $1",
    "refunds are booked, those that came back reversed": "UPDATE ledger_transactions"
    " SET kind = 'refund_failed' WHERE org_id = $1 AND kind = 'payment_refunded'",
    "what is under dispute is what banks have": "UPDATE disputes"
    " SET withdrawn_minor = withdrawn_minor - 1 WHERE org_id = $1",
    "what is in transit is in flight": "UPDATE transfers SET status = 'COMPLETED',"
    " credited_at = now(), completed_at = now() WHERE org_id = $1 AND status = 'DEBITED'",
    "transfers are booked as far as they came": "UPDATE transfers"
    " SET amount_minor = amount_minor + 1 WHERE org_id = $1 AND status = 'COMPLETED'",
    "what is held is what open holds set aside": "UPDATE ledger_accounts"
    " SET held_minor = held_minor + 1 WHERE org_id = $1 AND code LIKE 'wallet:%'",
    "wallets are open or closed with their accounts": "UPDATE wallets"
    " SET status = 'closed', closed_at = now() WHERE org_id = $1",
    "invoices are lines less discounts plus tax": "UPDATE invoice_lines"
    " SET amount_minor = amount_minor + 1 WHERE org_id = $1",
    "invoices are paid by their payments": "UPDATE payments SET status = 'failed'"
    " WHERE org_id = $1 AND status = 'succeeded'",
    "finalized invoices are booked, void ones reversed": "UPDATE ledger_transactions"
    " SET source_id = source_id || 'x' WHERE org_id = $1 AND kind = 'invoice_voided'",
    "payments with money are booked once": "UPDATE ledger_transactions"
    " SET kind = 'overpayment' WHERE org_id = $1 AND kind = 'payment_succeeded'",
    "open dunning is looked after": "DELETE FROM agenda WHERE org_id = $1 AND kind = 'dunning'",
    "credit notes are within their invoices": "UPDATE invoices SET noted_minor = 1"
    " WHERE org_id = $1 AND status = 'open'",
    "invoice numbers have no gaps": "UPDATE invoice_series SET last_number = last_number + 1"
    " WHERE org_id = $1",
    "days of usage are what their events add up to": "UPDATE usage_days SET total = total + 1"
    " WHERE org_id = $1",
    "every change has its event": "UPDATE customers SET version = version + 1 WHERE org_id = $1",
    "figures are what the books and documents say": "UPDATE figure_days SET count = count + 1"
    " WHERE org_id = $1",
    "figures of months are what their days come to": "INSERT INTO figure_months"
    " SELECT org_id, currency, 'paid', '1999-01-01', 5, 1 FROM organizations WHERE org_id = $1",
    "recurring revenue is the sum of its movements": "INSERT INTO mrr_movements"
    " SELECT org_id, id, 99, customer_id, 'new', 'usd', 5, 5, now() FROM subscriptions"
    " WHERE org_id = $1",
    "billed periods follow each other": "UPDATE billed_periods"
    " SET end_at = end_at + interval '1 hour' WHERE org_id = $1",
    "billed periods are what their lines come to": "UPDATE billed_periods"
    " SET amount_minor = amount_minor + 1 WHERE org_id = $1",
    COVERED: "DELETE FROM billed_periods WHERE org_id = $1",
    DERIVED: "UPDATE invoice_lines SET amount_minor = amount_minor + 1"
    " WHERE org_id = $1 AND derivation IS NOT NULL",
    CHAIN: "UPDATE events SET actor = 'user:else' WHERE org_id = $1 AND type = 'invoice.paid'",
}


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """One of its own: whoever lives here has the work of all done, and everybody's log sealed."""
    async with beside(house) as database, open_world(database) as made:
        yield made


@asynccontextmanager
async def tampered(org: Org, statement: str) -> AsyncIterator[None]:
    """What a superuser did whom no trigger and no foreign key stops, taken back at the end."""
    changed = CHANGED.match(statement)
    assert changed is not None
    table, org_id = changed[1], uuid_of(org.id)
    connection = await asyncpg.connect(org.world.house.superuser_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            f"CREATE TEMP TABLE kept AS SELECT * FROM {table} WHERE org_id = $1", org_id
        )
        touched = await connection.execute(statement, org_id)
        assert not touched.endswith(" 0"), "something was changed"
        try:
            yield
        finally:
            await connection.execute(f"DELETE FROM {table} WHERE org_id = $1", org_id)
            await connection.execute(f"INSERT INTO {table} TABLE kept")
    finally:
        await connection.close()


async def lived(world: World) -> Org:
    """Invoices paid, refunded, void, waiting, drafted; wallets; transfers, one underway; sealed."""
    org = await world.org()
    buyer = await org.customer()
    await org.pay((await org.invoice(buyer)).id)
    await org.pay((await org.invoice(await org.customer("pm_card_createDispute"))).id)
    returned = await org.pay((await org.invoice(buyer)).id)
    part = BeginRefund(payment_id=returned.id, attempt_key="part", amount_minor=500)
    await refund_payment(org.caller, part)
    gone = await org.invoice(buyer, 700)
    await org.caller.run(void_invoice, VoidInvoice(gone.id))
    await dispatch.add_up_figures(world.app)
    waiting = await org.invoice(buyer, 900)
    await org.pay(waiting.id, PaymentMode.CHECKOUT)
    await org.draft(buyer, 100)
    broke = await org.customer("pm_card_chargeCustomerFail")
    await org.pay((await org.invoice(broke, 300)).id)
    wallet = await org.wallet(1_000, buyer)
    await org.caller.run(create_hold, CreateHold(wallet_id=wallet.id, amount_minor=300))
    payer, payee = await org.wallet(900), await org.wallet()
    for provoked in ("none", "later"):
        command = PostTransfer(
            from_wallet_id=payer.id,
            to_wallet_id=payee.id,
            amount_minor=300,
            metadata={"provoke": provoked},
        )
        await org.caller.run(post_transfer, command)
    await use(org)
    await bill(org)
    await world.hear_processor()
    await world.work()
    await world.seal()
    return org


async def use(org: Org) -> None:
    """A subscription with usage of two kinds, and a threshold that was reached."""
    calls = await a_meter(org, thresholds=(5,))
    users = await a_meter(org, Aggregation.UNIQUE, property_name="user")
    subscription = await a_subscription(org, await a_plan(org, per_unit(calls, "1")))
    at = datetime.now(UTC)
    reports = [
        UsageReport(subscription.id, calls.id, "u1", 5, at, {}),
        UsageReport(subscription.id, users.id, "u2", 1, at, {"user": "ada"}),
        UsageReport(subscription.id, users.id, "u3", 1, at, {"user": "bob"}),
    ]
    await org.caller.run(ingest_usage, IngestUsage(reports, late_days_max=35))
    await org.caller.run(check_thresholds, CheckUsage(subscription.id, calls.id))


async def bill(org: Org) -> None:
    """A subscription that began last month, billed as far as it came."""
    meter = await a_meter(org)
    fee = PriceTerms(PricingModel.FLAT_RATE, Decimal(4_900))
    plan = await a_plan(org, fee, per_unit(meter, "1.5"))
    customer = await org.customer(token=None)
    began = datetime.now(UTC) - timedelta(days=40)
    command = CreateSubscription(customer_id=customer.id, plan_id=plan.id, start_at=began)
    subscription = (await org.caller.run(create_subscription, command)).subscription
    at = began + timedelta(days=2)
    reports = [UsageReport(subscription.id, meter.id, "u4", 7, at, {})]
    await org.caller.run(ingest_usage, IngestUsage(reports, late_days_max=60))
    system = org.world.system(org.id)
    while await system.run(bill_subscription, BillOne(subscription.id)) is not None:
        pass


@pytest.fixture(scope="module")
async def bystander(world: World) -> Org:
    """An organization that lived, to which nothing is done whatever is done to others."""
    return await lived(world)


@pytest.fixture(scope="module")
async def victim(world: World) -> Org:
    """One that lived the same, to which everything is done, one thing after the other."""
    return await lived(world)


async def verdicts(org: Org) -> dict[str, Check]:
    return {check.name: check for check in await org.caller.look(checks)}


async def test_an_organization_that_lived_is_green(bystander: Org) -> None:
    # And every check that there is something for has looked at it.
    found = await verdicts(bystander)
    assert [*found] == [*NAMES, *OTHERS]
    assert {name: check.offenders for name, check in found.items() if not check.is_good} == {}
    blind = {name for name, check in found.items() if not check.counted}
    assert blind == {
        "credit is what payments and documents brought",
        "credit notes are within their invoices",
        "what is carried forward is the sum of its entries",
    }


async def test_a_new_organization_is_green(world: World) -> None:
    # Nothing to count is nothing wrong.
    found = await verdicts(await world.org())
    assert [name for name, check in found.items() if not check.is_good] == []


def test_every_check_has_a_planted_fault() -> None:
    # A check that was never seen to fail proves nothing.
    assert set(FAULTS) == {*NAMES, *OTHERS}


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_a_planted_fault_is_named(victim: Org, bystander: Org, name: str) -> None:
    # The right check fails, by the ids concerned; another organization stays green.
    async with tampered(victim, FAULTS[name]):
        check = (await verdicts(victim))[name]
        assert check.offenders
        assert all(check.is_good for check in (await verdicts(bystander)).values())


SLIPPED_IN = (
    "INSERT INTO events SELECT org_id, '0195a1b2-c3d4-7007-8000-0123456789ab', type,"
    " payload_version, is_public, resource_type, resource_id, sequence, actor, reason,"
    " request_id, occurred_at, recorded_at, snapshot, previous, personal, '1'"
    " FROM events WHERE org_id = $1 AND type = 'invoice.paid' LIMIT 1"
)


@pytest.mark.parametrize(
    ("tampering", "word"),
    [
        ("DELETE FROM events WHERE org_id = $1 AND type = 'invoice.paid'", "deleted"),
        (SLIPPED_IN, "inserted"),
        ("DELETE FROM event_seals WHERE org_id = $1 AND position = 2", "gap before"),
    ],
    ids=["deleted", "inserted", "unlinked"],
)
async def test_tampering_with_the_log_is_named(victim: Org, tampering: str, word: str) -> None:
    # Taken out, slipped in, unlinked: the first offender says which.
    async with tampered(victim, tampering):
        assert (await verdicts(victim))[CHAIN].offenders[0].startswith(word)


async def test_what_was_tampered_with_is_green_again(victim: Org) -> None:
    # Each fault above was the only one there was: nothing of those before it had been left.
    assert [name for name, check in (await verdicts(victim)).items() if not check.is_good] == []


async def test_our_books_agree_with_the_processors(world: World, bystander: Org) -> None:
    # Payment by payment, read from the other side's own books.
    held = await bystander.caller.look(collected)
    charges = await world.provider.booked_charges(bystander.id)
    assert isinstance(charges, tuple)
    check = compared(held, charges, "books")
    assert (check.is_good, check.counted) == (True, 3)
    assert not compared(held[:0], charges, "books").is_good


async def test_a_survey_may_take_its_time(world: World) -> None:
    # A big organization is proven whole: what cuts a request short does not cut its survey.
    org = await world.org()
    patience = Query("patience", "SELECT current_setting('statement_timeout')")
    joins = Query("joins", "SELECT current_setting('enable_nestloop')")

    async def ask(tx: ReadTx) -> tuple[str, str]:
        return await tx.fetchval(patience), await tx.fetchval(joins)

    look = Look("patience", Permission.AUDIT_READ, ask)
    assert await org.caller.look(look) == ("10s", "on")
    assert await org.caller.look(replace(look, is_survey=True)) == ("10min", "off")
    assert await org.caller.look(look) == ("10s", "on")
    assert checks.is_survey
