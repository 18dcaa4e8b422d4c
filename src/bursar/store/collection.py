"""What a change of invoices and payments means for dunning, in the same commit.

Whoever settles a payment or ends an invoice passes the change through `follow`: a first decline
begins a case, a further one moves it on, and an invoice that is over ends it. So no way to pay is
forgotten, and a subscription is behind exactly while an invoice of it is.
"""

from typing import Final

from bursar.domain.agenda import Due, DueKind
from bursar.domain.change import Change
from bursar.domain.customers import Customer
from bursar.domain.dunning import (
    Decline,
    DunningCase,
    NewCase,
    Resolution,
    attempt_prefix,
    begin,
    begin_again,
)
from bursar.domain.dunning_policies import DunningPolicy
from bursar.domain.ids import DunningCaseId, SubscriptionId
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus
from bursar.domain.provider import DeclineKind
from bursar.domain.subscriptions import SubscriptionStatus
from bursar.runtime.db import Tx
from bursar.store import agreements, dunning_cases, invoices, orgs, subscriptions

_RESOLUTIONS: Final = {
    InvoiceStatus.PAID: Resolution.PAID,
    InvoiceStatus.VOID: Resolution.VOIDED,
    InvoiceStatus.UNCOLLECTIBLE: Resolution.UNCOLLECTIBLE,
}


AUTOMATIC: Final = "billing:"
"""What the keys of attempts begin with that billing makes by itself."""


async def follow(tx: Tx, change: Change) -> Change:
    """The change, with what follows from it. The caller holds the customer's lock."""
    followed = change
    for row in change.rows:
        if isinstance(row, Invoice) and row.status in _RESOLUTIONS:
            case = await dunning_cases.of_invoice(tx, row.id)
            if case is not None and case.is_open:
                followed = followed.beside(await ended(tx, case, _RESOLUTIONS[row.status]))
        if isinstance(row, Payment) and row.status is PaymentStatus.FAILED:
            followed = followed.beside(await _failed(tx, row))
    return followed


async def ended(tx: Tx, case: DunningCase, resolution: Resolution) -> Change:
    """The case is over; the subscription is behind no more, unless another invoice is."""
    change = case.resolve(resolution, tx.now)
    is_settled = resolution in {Resolution.PAID, Resolution.VOIDED, Resolution.BY_HAND}
    if case.subscription_id is None or not is_settled:
        return change
    if await dunning_cases.count_open(tx, case.subscription_id) > 1:
        return change
    subscription = await subscriptions.get(tx, case.subscription_id)
    if subscription.status is SubscriptionStatus.PAST_DUE:
        return change.beside(subscription.recover())
    paused_at = subscription.paused_at
    if paused_at is None or not await dunning_cases.put_to_rest(tx, subscription.id, paused_at):
        return change
    agreement = await agreements.beside(tx, subscription)
    return change.beside(agreement.resume(tx.now))


async def catch_up(tx: Tx, case: DunningCase) -> Change | None:
    """The end of a case whose invoice is over; None while it is open."""
    invoice = await invoices.get(tx, case.invoice_id)
    if invoice.status is InvoiceStatus.OPEN:
        return None
    return await ended(tx, case, _RESOLUTIONS[invoice.status])


async def offer_method(tx: Tx, *, before: Customer, after: Customer) -> Change:
    """Another default method: what waits for one is tried at once, unless somebody paused it."""
    change = Change()
    if after.method_reference is None or after.method_reference == before.method_reference:
        return change
    for case in await dunning_cases.open_of_customer(tx, after.id):
        if case.paused_at is None:
            change = change.beside(case.hurry(tx.now))
    return change


async def policy(tx: Tx) -> DunningPolicy:
    """What this organization does when a payment fails."""
    return (await orgs.get(tx)).dunning or DunningPolicy(tx.retry_minutes)


async def _failed(tx: Tx, payment: Payment) -> Change:
    if payment.invoice_id is None:
        return Change()
    case = await dunning_cases.of_invoice(tx, payment.invoice_id)
    if case is None:
        return await _begun(tx, payment)
    if not case.is_open:
        return Change()
    if not payment.attempt_key.startswith(attempt_prefix(case.id)):
        return Change(agenda=_looked_at(tx, case))
    decline = _decline(payment)
    if decline is None:
        return case.again(tx.now)
    change = case.fail(decline, tx.now)
    is_first = case.decline_kind is None
    return change.beside(await _fallen_behind(tx, case.subscription_id)) if is_first else change


async def _begun(tx: Tx, payment: Payment) -> Change:
    decline = _decline(payment)
    is_ours = payment.attempt_key.startswith(AUTOMATIC)
    if payment.mode is not PaymentMode.CHARGE or (decline is None and not is_ours):
        return Change()
    assert payment.invoice_id is not None
    invoice = await invoices.get(tx, payment.invoice_id)
    if invoice.status is not InvoiceStatus.OPEN:
        return Change()
    new = NewCase(
        id=DunningCaseId(tx.new_id("dun")),
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        subscription_id=invoice.subscription_id,
        policy=await policy(tx),
    )
    if decline is None:
        return begin_again(new, tx.now)
    return begin(new, decline, tx.now).beside(await _fallen_behind(tx, invoice.subscription_id))


async def _fallen_behind(tx: Tx, subscription_id: SubscriptionId | None) -> Change:
    if subscription_id is None:
        return Change()
    subscription = await subscriptions.get(tx, subscription_id)
    is_active = subscription.status is SubscriptionStatus.ACTIVE
    return subscription.fall_behind() if is_active else Change()


def _decline(payment: Payment) -> Decline | None:
    """What the bank said; nothing, when the attempt ended without asking it."""
    if payment.decline_kind is None:
        return None
    kind = DeclineKind(payment.decline_kind)
    return Decline(kind, payment.failure_code, payment.method_reference)


def _looked_at(tx: Tx, case: DunningCase) -> tuple[Due, ...]:
    """Whoever waited for another attempt to end looks again, not before the step is due."""
    if case.next_at is None or case.paused_at is not None:
        return ()
    return (Due(DueKind.DUNNING, case.invoice_id, max(case.next_at, tx.now)),)
