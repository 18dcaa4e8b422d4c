"""Dunning: the step that is due, and what somebody decides by hand."""

from typing import Final, assert_never

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.agenda import DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.dunning import DunningCase, Resolution
from bursar.domain.dunning_policies import DunningAction
from bursar.domain.ids import InvoiceId
from bursar.domain.mails import MailKind
from bursar.domain.orgs import Mode
from bursar.domain.refusals import CustomerHasNoMethod, PaymentInProgress
from bursar.domain.subscriptions import Subscription, SubscriptionStatus
from bursar.domain.tasks import AdvanceDunning
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import (
    agreements,
    collection,
    correspondence,
    customers,
    dunning_cases,
    invoices,
    payments,
    subscriptions,
)
from bursar.store.apply import apply

_RESTS: Final = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
_LETTERS: Final = {
    DunningAction.RETRY: MailKind.DUNNING_NOTICE,  # there is nothing to charge
    DunningAction.NOTIFY: MailKind.DUNNING_NOTICE,
    DunningAction.PAUSE: MailKind.DUNNING_PAUSE,
    DunningAction.CANCEL: MailKind.DUNNING_END,
}


class TakeStep(Struct, frozen=True):
    """An invoice whose dunning may have something to do."""

    invoice_id: InvoiceId


class DueCharge(Struct, frozen=True):
    """A try that is due: the key under which it is to be begun, and whose line it goes over."""

    key: str
    mode: Mode


@operation(requires=Permission.PAYMENT_SETTLE)
async def take_dunning_step(tx: Tx, command: TakeStep) -> DueCharge | None:
    """Do what is due; where that is a charge, say how it is to be begun.

    While an attempt is open nothing is done: its end looks again. A step that is not due yet, as
    when somebody else took it, is waited for.
    """
    await customers.lock_through(tx, command.invoice_id)
    case = await dunning_cases.get(tx, command.invoice_id)
    if not case.is_due(tx.now):
        await apply(tx, Change(agenda=(case.look,)))
        return None
    over = await collection.catch_up(tx, case)
    if over is not None:
        await apply(tx, over)
        return None
    if await payments.open_attempt(tx, case.invoice_id) is not None:
        await apply(tx, Change(agenda=(Undue(DueKind.DUNNING, case.invoice_id),)))
        return None
    customer = await customers.lock(tx, case.customer_id, even_deleted=True)
    if case.current_action is DunningAction.RETRY and case.may_charge(customer.method_reference):
        assert tx.mode is not None
        return DueCharge(case.attempt_key, Mode(tx.mode))
    change = await _step(tx, case)
    if change is not None:
        await _tell(tx, case)
        await apply(tx, change)
    return None


async def _step(tx: Tx, case: DunningCase) -> Change | None:
    """A step that needs no card; None while billing has not come to the subscription yet."""
    match case.current_action:
        case DunningAction.RETRY | DunningAction.NOTIFY:
            return case.ask(tx.now)
        case DunningAction.PAUSE:
            return await _rested(tx, case)
        case DunningAction.CANCEL:
            return await _canceled(tx, case)
        case DunningAction.WRITE_OFF:
            invoice = await invoices.get(tx, case.invoice_id)
            return await collection.follow(tx, invoice.write_off(tx.now))
        case _:
            assert_never(case.current_action)


async def _rested(tx: Tx, case: DunningCase) -> Change | None:
    subscription = await _subscription(tx, case)
    if subscription is None or subscription.status not in _RESTS:
        return case.act(tx.now)
    agreement = await agreements.beside(tx, subscription)
    if agreement.is_behind(tx.now):
        return None
    return case.act(tx.now, is_resting=True).beside(agreement.pause(tx.now))


async def _canceled(tx: Tx, case: DunningCase) -> Change | None:
    subscription = await _subscription(tx, case)
    if subscription is None or subscription.status is SubscriptionStatus.CANCELED:
        return case.act(tx.now)
    agreement = await agreements.beside(tx, subscription)
    if agreement.is_behind(tx.now):
        return None
    ended = agreement.cancel(tx.now, "dunning", is_credited=False)
    return case.act(tx.now).beside(ended)


class SteerDunning(Struct, frozen=True):
    """An invoice in dunning."""

    invoice_id: InvoiceId


@operation(requires=Permission.INVOICE_FINALIZE)
async def resolve_dunning(tx: Tx, command: SteerDunning) -> DunningCase:
    """End it by hand: the invoice stays as it is, and its subscription is behind no more.

    Raises:
        NotFound: the invoice is not in dunning and never was.
        IllegalTransition: it is over.
    """
    case = await _locked(tx, command.invoice_id)
    return await _written(tx, case, await collection.ended(tx, case, Resolution.BY_HAND))


@operation(requires=Permission.INVOICE_FINALIZE)
async def retry_now(tx: Tx, command: SteerDunning) -> DunningCase:
    """Charge the customer's default method at once, whatever the plan says; a pause ends.

    Raises:
        NotFound: the invoice is not in dunning and never was.
        IllegalTransition: it is over.
        PaymentInProgress: another attempt is open.
        CustomerHasNoMethod: there is nothing to charge.
    """
    case = await _locked(tx, command.invoice_id)
    change = case.hurry(tx.now)
    attempt = await payments.open_attempt(tx, case.invoice_id)
    if attempt is not None:
        raise PaymentInProgress(
            f"Payment {attempt.id} of this invoice is still {attempt.status.value}.",
            facts={"paymentId": attempt.id},
        )
    customer = await customers.lock(tx, case.customer_id, even_deleted=True)
    if customer.method_reference is None:
        raise CustomerHasNoMethod(f"Customer {customer.id} has no payment method to charge.")
    task = AdvanceDunning(case.invoice_id)
    return await _written(tx, case, change.beside(Change(tasks=(task,))))


class PauseDunning(Struct, frozen=True):
    """Do nothing about an invoice for a while, and say why."""

    invoice_id: InvoiceId
    reason: str


@operation(requires=Permission.INVOICE_FINALIZE)
async def pause_dunning(tx: Tx, command: PauseDunning) -> DunningCase:
    """Nothing is charged and nobody is written to until it is resumed.

    Raises:
        NotFound: the invoice is not in dunning and never was.
        IllegalTransition: it is over.
    """
    case = await _locked(tx, command.invoice_id)
    return await _written(tx, case, case.pause(command.reason, tx.now))


@operation(requires=Permission.INVOICE_FINALIZE)
async def resume_dunning(tx: Tx, command: SteerDunning) -> DunningCase:
    """Go on after a pause.

    Raises:
        NotFound: the invoice is not in dunning and never was.
        IllegalTransition: it is over, or nobody paused it.
    """
    case = await _locked(tx, command.invoice_id)
    return await _written(tx, case, case.resume(tx.now))


async def _locked(tx: Tx, invoice_id: InvoiceId) -> DunningCase:
    await customers.lock_through(tx, invoice_id)
    return await dunning_cases.get(tx, invoice_id)


async def _written(tx: Tx, case: DunningCase, change: Change | None) -> DunningCase:
    if change is None:
        return case
    written = (await apply(tx, change))[case.id]
    assert isinstance(written, DunningCase)
    return written


async def _tell(tx: Tx, case: DunningCase) -> None:
    """Write to the customer what is done, and how the invoice can be paid."""
    kind = _LETTERS.get(case.current_action)
    is_about_subscription = kind in {MailKind.DUNNING_PAUSE, MailKind.DUNNING_END}
    if kind is None or (is_about_subscription and case.subscription_id is None):
        return
    await correspondence.write(tx, await invoices.get(tx, case.invoice_id), kind)


async def _subscription(tx: Tx, case: DunningCase) -> Subscription | None:
    if case.subscription_id is None:
        return None
    return await subscriptions.get(tx, case.subscription_id)
