"""Money that no provider brought, in full, in part and above; and the credit it leaves."""

import asyncio
from datetime import UTC, datetime

import pytest
from tests.support.world import Org, World

from bursar.domain.ids import InvoiceId
from bursar.domain.invoices import InvoiceStatus
from bursar.domain.paging import Page
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus, Receipt, ReceiptMethod
from bursar.domain.refusals import Refusal
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.operations.manual_payments import RecordPayment, record_payment
from bursar.operations.orgs import UpdateOrganization, update_organization
from bursar.reads.credit_balances import credit_balance
from bursar.reads.invoices import invoice
from bursar.reads.payments import PaymentFilters, payments
from bursar.reads.verify import checks

SEEN = datetime(2026, 1, 5, tzinfo=UTC)
RECEIPT = Receipt(ReceiptMethod.BANK_TRANSFER, SEEN, "RF18")


async def recorded(org: Org, invoice_id: InvoiceId, cents: int) -> Payment:
    return await org.caller.run(record_payment, RecordPayment(invoice_id, cents, RECEIPT))


async def books_hold(org: Org) -> None:
    wrong = [each for each in await org.world.system(org.id).look(checks) if each.offenders]
    assert wrong == []


async def test_in_part_then_too_much_then_the_next_invoice(world: World) -> None:
    # The rest of a transfer is credit, and pays the next invoice as it is finalized.
    org = await world.org()
    customer = await org.customer(token=None)
    first = await org.invoice(customer, 5000)
    part = await recorded(org, first.id, 2000)
    assert (part.status, part.receipt) == (PaymentStatus.SUCCEEDED, RECEIPT)
    assert (await org.caller.look(invoice, first.id)).due.minor == 3000
    assert (await recorded(org, first.id, 4500)).credited.minor == 1500
    paid = await org.caller.look(invoice, first.id)
    assert (paid.status, paid.paid_at) == (InvoiceStatus.PAID, SEEN)
    await books_hold(org)
    second = await org.invoice(customer, 4000)
    assert (second.status, second.due.minor) == (InvoiceStatus.OPEN, 2500)
    assert (await org.caller.look(credit_balance, customer.id)).amount.is_zero
    found = await org.caller.look(
        payments, Page(size=9, is_cursor=True), PaymentFilters(invoice_id=second.id)
    )
    assert [each.mode for each in found.items] == [PaymentMode.CREDIT]
    await books_hold(org)


async def test_an_organization_may_keep_credit_for_later(world: World) -> None:
    # Switched off, a document is finalized for all of it; switched on, credit covers it whole.
    org = await world.org()
    customer = await org.customer(token=None)
    first = await org.invoice(customer, 1000)
    await recorded(org, first.id, 9000)
    await org.caller.run(update_organization, UpdateOrganization({"is_credit_applied": False}))
    assert (await org.invoice(customer, 3000)).due.minor == 3000
    await org.caller.run(update_organization, UpdateOrganization({"is_credit_applied": True}))
    assert (await org.invoice(customer, 3000)).status is InvoiceStatus.PAID
    assert (await org.caller.look(credit_balance, customer.id)).amount.minor == 5000
    await books_hold(org)


async def test_a_page_that_asks_for_more_is_closed(world: World) -> None:
    # The customer sent a transfer while their checkout page stood open.
    org = await world.org()
    customer = await org.customer()
    made = await org.invoice(customer, 5000)
    page = await org.pay(made.id, PaymentMode.CHECKOUT)
    await recorded(org, made.id, 5000)
    await world.drain()
    found = await org.caller.look(
        payments, Page(size=9, is_cursor=True), PaymentFilters(invoice_id=made.id)
    )
    assert {each.id: each.status for each in found.items}[page.id] is PaymentStatus.FAILED
    await books_hold(org)


@pytest.mark.parametrize("credit", [5000, 8000])
async def test_two_documents_at_once_spend_it_once(credit: int, world: World) -> None:
    # Both are finalized at the same moment; what one took the other has not.
    org = await world.org()
    customer = await org.customer(token=None)
    first = await org.invoice(customer, 1000)
    await recorded(org, first.id, 1000 + credit)
    drafts = [await org.draft(customer, 4000) for _ in range(2)]
    made = await asyncio.gather(
        *(org.caller.run(finalize_invoice, FinalizeInvoice(each.id)) for each in drafts),
        return_exceptions=True,
    )
    assert not any(isinstance(each, Refusal) for each in made)
    assert sorted(each.due.minor for each in made if not isinstance(each, BaseException)) == sorted(
        [0, 8000 - credit]
    )
    await books_hold(org)
