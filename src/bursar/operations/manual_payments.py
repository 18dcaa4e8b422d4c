"""Payments that an accountant recorded: money that no provider brought."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, PaymentId
from bursar.domain.instant_payments import record
from bursar.domain.money import Money
from bursar.domain.payment_beginnings import NewPayment
from bursar.domain.payments import Payment, PaymentMode, PaymentPurpose, Receipt
from bursar.domain.tasks import CloseAttempt
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import collection, customers, invoices, payments
from bursar.store.apply import apply


class RecordPayment(Struct, frozen=True):
    """So much came for an invoice, in its currency, in full or in part."""

    invoice_id: InvoiceId
    amount_minor: int
    receipt: Receipt


@operation(requires=Permission.PAYMENT_RECORD)
async def record_payment(tx: Tx, command: RecordPayment) -> Payment:
    """Book what came: it pays what is due, and the rest is the customer's credit.

    An attempt that is still open asks for what is not due any more; it is closed by a task.

    Raises:
        NothingToPay: the invoice is a draft.
        InvalidInput: it would have come after now.
    """
    await customers.lock_through(tx, command.invoice_id)
    invoice = await invoices.get(tx, command.invoice_id)
    payment = NewPayment(
        id=PaymentId(tx.new_id("pay")),
        purpose=PaymentPurpose.INVOICE,
        mode=PaymentMode.MANUAL,
        amount=Money(command.amount_minor, invoice.currency),
        provider=PaymentMode.MANUAL.value,
        attempt_key=f"record:{tx.request_id}",
        wall=tx.wall,
        now=tx.now,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        receipt=command.receipt,
    ).pending()
    change = record(payment, invoice, tx.now)
    attempt = await payments.open_attempt(tx, invoice.id)
    if attempt is not None:
        change = replace(change, tasks=(*change.tasks, CloseAttempt(attempt.id)))
    written = (await apply(tx, await collection.follow(tx, change)))[payment.id]
    assert isinstance(written, Payment)
    return written
