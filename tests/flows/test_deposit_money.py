"""Filling wallets through the processor, and paying invoices from them, whatever the line does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.database import Installation, beside
from tests.support.sandbox import control
from tests.support.world import Org, World, open_world

from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, WalletId, uuid_of
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    InsufficientFunds,
    InvalidInput,
    NotFound,
    NothingToPay,
    PaymentInProgress,
    Refusal,
    StillInUse,
)
from bursar.domain.wallets import Wallet, WalletStatus
from bursar.flows.deposit_money import deposit_money
from bursar.flows.pay_invoice import pay_invoice
from bursar.operations.wallets import CloseWallet, OpenOwnWallet, close_wallet, open_own_wallet
from bursar.reads.invoices import invoice as invoice_look
from bursar.reads.payments import payment as payment_look
from bursar.reads.verify import checks
from bursar.reads.wallets import wallet as wallet_look


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """One of its own: what is left to do is done in each test."""
    async with beside(house) as database, open_world(database) as made:
        yield made


async def wallet_now(org: Org, wallet_id: WalletId) -> Wallet:
    return await org.caller.look(wallet_look, wallet_id)


async def verify(world: World, org: Org) -> list[str]:
    """What our own checks find wrong."""
    found = await world.operator(org.id).look(checks)
    return [f"{each.name}: {each.offenders}" for each in found if not each.is_good]


async def fill(org: Org, wallet: Wallet, cents: int, mode: PaymentMode) -> Payment:
    """A deposit through the processor."""
    made = await deposit_money(org.caller, org.filling(wallet.id, cents, mode))
    assert made.payment is not None
    return made.payment


async def pay_from(
    org: Org, invoice_id: InvoiceId, wallet_id: WalletId | None = None, key: str | None = None
) -> Payment:
    """Pay an invoice with stored money."""
    command = org.begin(invoice_id, PaymentMode.WALLET, key)
    return await pay_invoice(org.caller, replace(command, wallet_id=wallet_id))


async def set_mode(world: World, org: Org, mode: str) -> None:
    """Make the organization a live one, or a sandbox again."""
    connection = await world.house.as_owner()
    try:
        query = "UPDATE organizations SET mode = $2 WHERE org_id = $1"
        await connection.execute(query, uuid_of(org.id), mode)
    finally:
        await connection.close()


async def test_a_charge_fills_a_wallet_once(world: World) -> None:
    # The processor holds the money, the wallet has it, our books and theirs agree.
    org = await world.org()
    wallet = await org.wallet(customer=await org.customer())
    paid = await fill(org, wallet, 2_500, PaymentMode.CHARGE)
    assert (paid.status, paid.wallet_id, paid.invoice_id) == (
        PaymentStatus.SUCCEEDED,
        wallet.id,
        None,
    )
    await world.drain()
    assert (await wallet_now(org, wallet.id)).balance.minor == 2_500
    assert await verify(world, org) == []


async def test_a_page_fills_a_members_own_wallet(world: World) -> None:
    # Nobody who is billed is needed; the processor's webhook ends in the same door.
    org = await world.org()
    own = await org.caller.run(open_own_wallet, OpenOwnWallet(org.user_id))
    command = org.filling(own.id, 700, PaymentMode.CHECKOUT)
    made = await deposit_money(org.caller, command, is_own=True)
    assert made.payment is not None
    assert made.payment.checkout_url is not None
    assert (await wallet_now(org, own.id)).balance.is_zero
    with pytest.raises(StillInUse):
        await org.caller.run(close_wallet, CloseWallet(own.id))
    world.type_card(made.payment.checkout_url)
    await world.drain()
    assert (await wallet_now(org, own.id)).balance.minor == 700
    assert await verify(world, org) == []


async def test_a_lost_answer_is_found_again(world: World) -> None:
    # The line dropped after the charge: the watchdog asks, and the money is there once.
    org = await world.org()
    wallet = await org.wallet(customer=await org.customer())
    control(world.sandbox, "POST", "faults", kind="drop_after", method="POST")
    paid = await fill(org, wallet, 900, PaymentMode.CHARGE)
    control(world.sandbox, "DELETE", "faults")
    assert paid.status is PaymentStatus.PENDING
    await world.drain(watch=org)
    assert (await org.caller.look(payment_look, paid.id)).status is PaymentStatus.SUCCEEDED
    assert (await wallet_now(org, wallet.id)).balance.minor == 900
    assert await verify(world, org) == []


async def test_the_same_request_rejoins_its_deposit(world: World) -> None:
    # Sent again under its key it asks for the same charge, never for another.
    org = await world.org()
    wallet = await org.wallet(customer=await org.customer())
    command = org.filling(wallet.id, 900, PaymentMode.CHARGE, "again")
    first = await deposit_money(org.caller, command)
    second = await deposit_money(org.caller, command)
    assert first.payment == second.payment
    assert (await wallet_now(org, wallet.id)).balance.minor == 900


async def test_a_page_left_open_can_still_bring_money_late(world: World) -> None:
    # Even for a wallet that was closed meanwhile, by force: it opens again.
    org = await world.org()
    wallet = await org.wallet(customer=await org.customer(None))
    page = await fill(org, wallet, 800, PaymentMode.CHECKOUT)
    assert page.checkout_url is not None
    connection = await world.house.as_owner()
    try:
        closing = "UPDATE wallets SET status = 'closed', closed_at = now() WHERE id = $1"
        await connection.execute(closing, uuid_of(wallet.id))
        closing = "UPDATE ledger_accounts SET closed_at = now() WHERE id = $1"
        await connection.execute(closing, uuid_of(wallet.account_id))
    finally:
        await connection.close()
    world.type_card(page.checkout_url)
    await world.drain()
    now = await wallet_now(org, wallet.id)
    assert (now.status, now.balance.minor) == (WalletStatus.OPEN, 800)
    assert await verify(world, org) == []


async def test_where_money_is_real_it_comes_through_the_processor(world: World) -> None:
    # A live organization without a live processor stores nothing out of thin air.
    org = await world.org()
    wallet = await org.wallet()
    await set_mode(world, org, "live")
    with pytest.raises(Refusal) as refused:
        await deposit_money(org.caller, org.filling(wallet.id, 100))
    assert refused.value.reason == "provider_not_configured"
    assert (await wallet_now(org, wallet.id)).balance.is_zero


async def test_only_a_customers_wallet_is_filled_by_a_stored_method(world: World) -> None:
    # Nobody else has one.
    org = await world.org()
    for wallet in (await org.wallet(), await org.wallet(customer=await org.customer(None))):
        with pytest.raises(CustomerHasNoMethod):
            await fill(org, wallet, 100, PaymentMode.CHARGE)


async def test_stored_money_pays_an_invoice(world: World) -> None:
    # From the customer's only wallet, at once; sent again it is the same payment.
    org = await world.org()
    customer = await org.customer(None)
    wallet = await org.wallet(6_000, customer)
    invoice = await org.invoice(customer, 4_999)
    paid = await pay_from(org, invoice.id, key="once")
    assert (paid.status, paid.mode, paid.wallet_id) == (
        PaymentStatus.SUCCEEDED,
        PaymentMode.WALLET,
        wallet.id,
    )
    assert await pay_from(org, invoice.id, key="once") == paid
    assert (await wallet_now(org, wallet.id)).balance.minor == 1_001
    assert (await org.caller.look(invoice_look, invoice.id)).status is InvoiceStatus.PAID
    with pytest.raises(NothingToPay):
        await pay_from(org, invoice.id)
    assert await verify(world, org) == []


async def test_which_wallet_pays_is_clear_or_asked_for(world: World) -> None:
    # None, or several: named. Another customer's, the organization's, a foreign one: refused.
    org, elsewhere = await world.org(), await world.org()
    customer, other = await org.customer(None), await org.customer(None)
    invoice = await org.invoice(customer, 500)
    with pytest.raises(InvalidInput):
        await pay_from(org, invoice.id)
    poor, rich = await org.wallet(10, customer), await org.wallet(500, customer)
    with pytest.raises(InvalidInput):
        await pay_from(org, invoice.id)
    for wrong in (await org.wallet(900, other), await org.wallet(900)):
        with pytest.raises(InvalidInput) as refused:
            await pay_from(org, invoice.id, wrong.id)
        assert [each.field for each in refused.value.details] == ["walletId"]
    with pytest.raises(NotFound):
        await pay_from(org, invoice.id, (await elsewhere.wallet(900)).id)
    with pytest.raises(InsufficientFunds):
        await pay_from(org, invoice.id, poor.id)
    assert (await pay_from(org, invoice.id, rich.id)).status is PaymentStatus.SUCCEEDED


async def test_a_member_may_pay_with_their_own_wallet(world: World) -> None:
    # It is their money, whoever is billed.
    org = await world.org()
    own = await org.caller.run(open_own_wallet, OpenOwnWallet(org.user_id))
    await deposit_money(org.caller, org.filling(own.id, 500), is_own=True)
    invoice = await org.invoice(await org.customer(None), 500)
    assert (await pay_from(org, invoice.id, own.id)).status is PaymentStatus.SUCCEEDED
    assert await verify(world, org) == []


async def test_an_open_page_gives_way_to_stored_money(world: World) -> None:
    # It is closed at the processor first; an attempt that runs by itself does not give way.
    org = await world.org()
    customer = await org.customer("pm_sandbox_processing_30")
    await org.wallet(2_000, customer)
    invoice = await org.invoice(customer, 500)
    page = await org.pay(invoice.id, PaymentMode.CHECKOUT)
    assert (await pay_from(org, invoice.id)).status is PaymentStatus.SUCCEEDED
    assert (await org.caller.look(payment_look, page.id)).status is PaymentStatus.FAILED
    running = await org.invoice(customer, 600)
    assert (await org.pay(running.id)).status is PaymentStatus.PROCESSING
    with pytest.raises(PaymentInProgress):
        await pay_from(org, running.id)
    await world.drain(watch=org)
    assert await verify(world, org) == []


@pytest.mark.parametrize("rounds", range(3))
async def test_a_card_and_a_wallet_at_once_pay_once(world: World, rounds: int) -> None:
    # The customer's lock decides; whoever loses is told, and the books say one payment.
    org = await world.org()
    customer = await org.customer()
    wallet = await org.wallet(50_000, customer)
    invoices: list[Invoice] = [await org.invoice(customer, 1_000) for _ in range(4)]
    outcomes = await asyncio.gather(
        *(
            act
            for each in invoices
            for act in (org.pay(each.id), pay_from(org, each.id), pay_from(org, each.id))
        ),
        return_exceptions=True,
    )
    lost = [each for each in outcomes if isinstance(each, BaseException)]
    assert all(isinstance(each, PaymentInProgress | NothingToPay) for each in lost), lost
    assert len(outcomes) - len(lost) == len(invoices)
    await world.drain(watch=org)
    spent = sum(
        each.amount.minor
        for each in outcomes
        if isinstance(each, Payment) and each.mode is PaymentMode.WALLET
    )
    assert (await wallet_now(org, wallet.id)).balance.minor == 50_000 - spent
    for each in invoices:
        assert (await org.caller.look(invoice_look, each.id)).status is InvoiceStatus.PAID
    assert await verify(world, org) == []
