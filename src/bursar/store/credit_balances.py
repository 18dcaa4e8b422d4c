"""The credit balance of a customer, and documents that take from it when they are finalized."""

from collections.abc import Iterable

from bursar.domain import chart
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.ids import CustomerId, PaymentId, uuid_of
from bursar.domain.instant_payments import spend_credit
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money
from bursar.domain.payment_beginnings import NewPayment
from bursar.domain.payments import PaymentMode, PaymentPurpose, part_due
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def balance(tx: Tx, customer_id: CustomerId, currency: Currency) -> Money:
    """What the customer has; under their lock it stays so until the transaction ends."""
    code = chart.credit(customer_id, currency).code
    held = await tx.fetchval(Q.credit_balance, uuid_of(tx.org_id), code, currency)
    return Money(held or 0, currency)


async def holders(tx: Tx, invoices: Iterable[Invoice]) -> set[CustomerId]:
    """Which of their customers have any credit; under their locks it stays so."""
    owners = {chart.credit(each.customer_id, each.currency).code: each for each in invoices}
    rows = await tx.fetch(Q.codes_with_credit, uuid_of(tx.org_id), [*owners])
    return {owners[row["code"]].customer_id for row in rows}


async def spend(tx: Tx, finalized: Change) -> Change:
    """The change that finalizes a document, paid out of the customer's credit as far as it goes.

    The caller holds the customer's lock.
    """
    (opened,) = finalized.rows
    assert isinstance(opened, Invoice)
    held = await balance(tx, opened.customer_id, opened.currency)
    amount = part_due(opened, held)
    if not amount.is_positive:
        return finalized
    payment = NewPayment(
        id=PaymentId(tx.new_id("pay")),
        purpose=PaymentPurpose.INVOICE,
        mode=PaymentMode.CREDIT,
        amount=amount,
        provider=PaymentMode.CREDIT.value,
        attempt_key=f"finalize:{opened.id}",
        wall=tx.wall,
        now=tx.now,
        invoice_id=opened.id,
        customer_id=opened.customer_id,
    ).pending()
    return spend_credit(finalized, payment, tx.now)
