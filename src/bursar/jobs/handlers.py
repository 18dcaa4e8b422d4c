"""What each task runs: the edge between the queues and the verbs."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from bursar.domain.access import System
from bursar.domain.documents import DocumentNotRendered
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import CustomerHasNoMethod, NothingToPay, PaymentInProgress
from bursar.domain.tasks import (
    AdvanceDunning,
    BillDue,
    BillSubscription,
    ChargeInvoice,
    CheckThresholds,
    CloseAttempt,
    ConfirmPayment,
    ConfirmRefund,
    ConfirmSetups,
    ExpireHold,
    FollowInvoice,
    FollowInvoices,
    HandleProviderEvent,
    IssueInvoice,
    IssueRecurring,
    PrintInvoice,
    ResumeTransfer,
    SendMail,
    SyncCustomer,
    SyncMethod,
    Task,
)
from bursar.flows.advance_dunning import advance_dunning
from bursar.flows.close_attempt import close_attempt
from bursar.flows.confirm_payment import confirm_payment
from bursar.flows.confirm_refund import confirm_refund
from bursar.flows.confirm_setups import confirm_setups
from bursar.flows.handle_provider_event import handle_provider_event
from bursar.flows.issue_recurring import issue_recurring
from bursar.flows.pay_invoice import pay_invoice
from bursar.flows.print_document import print_document, print_invoice
from bursar.flows.resume_transfer import resume_transfer
from bursar.flows.send_email import send_email
from bursar.flows.sync_customer import sync_customer
from bursar.flows.sync_method import sync_method
from bursar.operations.billing_runs import (
    BillChunk,
    BillOne,
    IssueDraft,
    bill_chunk,
    bill_subscription,
    issue_invoice,
)
from bursar.operations.holds import SettleHold, expire_hold
from bursar.operations.payments import BeginPayment
from bursar.operations.sending import LookAgain, look_again
from bursar.operations.usage import CheckUsage, check_thresholds
from bursar.runtime import clock, tracing
from bursar.runtime.app import App, Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.queue import Claimed

Handler = Callable[[Caller, Any], Awaitable[None]]


async def _sync_customer(caller: Caller, task: SyncCustomer) -> None:
    await sync_customer(caller, task.customer_id)


async def _sync_method(caller: Caller, task: SyncMethod) -> None:
    await sync_method(caller, task.payment_method_id)


async def _handle_provider_event(caller: Caller, task: HandleProviderEvent) -> None:
    await handle_provider_event(caller, provider=task.provider, event_id=task.event_id)


async def _confirm_payment(caller: Caller, task: ConfirmPayment) -> None:
    await confirm_payment(caller, task.payment_id)


async def _confirm_refund(caller: Caller, task: ConfirmRefund) -> None:
    await confirm_refund(caller, task.refund_id)


async def _confirm_setups(caller: Caller, task: ConfirmSetups) -> None:
    await confirm_setups(caller, task.customer_id)


async def _close_attempt(caller: Caller, task: CloseAttempt) -> None:
    await close_attempt(caller, task.payment_id)


async def _expire_hold(caller: Caller, task: ExpireHold) -> None:
    await caller.run(expire_hold, SettleHold(task.hold_id))


async def _issue_recurring(caller: Caller, task: IssueRecurring) -> None:
    await issue_recurring(caller, task.recurring_invoice_id)


async def _follow_invoice(caller: Caller, task: FollowInvoice) -> None:
    await _follow_invoices(caller, FollowInvoices((task.invoice_id,)))


async def _follow_invoices(caller: Caller, task: FollowInvoices) -> None:
    await caller.run(look_again, LookAgain(task.invoice_ids))


async def _print_invoice(caller: Caller, task: PrintInvoice) -> None:
    """Print it ahead; what cannot be printed now is, when it is asked for, or told to who asks."""
    with suppress(DocumentNotRendered):
        await print_invoice(caller, task.invoice_id)


async def _send_mail(caller: Caller, task: SendMail) -> None:
    await send_email(caller, task.mail_id, print_document)


async def _resume_transfer(caller: Caller, task: ResumeTransfer) -> None:
    await resume_transfer(caller, task.transfer_id)


async def _check_thresholds(caller: Caller, task: CheckThresholds) -> None:
    await caller.run(check_thresholds, CheckUsage(task.subscription_id, task.meter_id))


async def _bill_subscription(caller: Caller, task: BillSubscription) -> None:
    await caller.run(bill_subscription, BillOne(task.subscription_id))


async def _bill_due(caller: Caller, _task: BillDue) -> None:
    started = clock.monotonic()
    chunk = await caller.run(bill_chunk, BillChunk())
    caller.app.telemetry.billed(
        subscriptions=chunk.subscriptions,
        put_off=chunk.put_off,
        seconds=clock.monotonic() - started,
    )


async def _issue_invoice(caller: Caller, task: IssueInvoice) -> None:
    await caller.run(issue_invoice, IssueDraft(task.invoice_id))


async def _charge_invoice(caller: Caller, task: ChargeInvoice) -> None:
    """Charge it; what somebody paid, voided or is just paying needs nothing more from us."""
    command = BeginPayment(
        invoice_id=task.invoice_id,
        mode=PaymentMode.CHARGE,
        attempt_key=f"billing:{task.invoice_id}",
        providers={mode: each.name for mode, each in caller.app.providers.items()},
        return_url=caller.app.settings.public_url,
    )
    with suppress(NothingToPay, PaymentInProgress, CustomerHasNoMethod):
        await pay_invoice(caller, command)


async def _advance_dunning(caller: Caller, task: AdvanceDunning) -> None:
    await advance_dunning(caller, task.invoice_id)


HANDLERS: Final[Mapping[type[Task], Handler]] = MappingProxyType(
    {
        SyncCustomer: _sync_customer,
        SyncMethod: _sync_method,
        HandleProviderEvent: _handle_provider_event,
        ConfirmPayment: _confirm_payment,
        ConfirmRefund: _confirm_refund,
        ConfirmSetups: _confirm_setups,
        CloseAttempt: _close_attempt,
        ExpireHold: _expire_hold,
        IssueRecurring: _issue_recurring,
        FollowInvoice: _follow_invoice,
        FollowInvoices: _follow_invoices,
        PrintInvoice: _print_invoice,
        SendMail: _send_mail,
        ResumeTransfer: _resume_transfer,
        CheckThresholds: _check_thresholds,
        BillSubscription: _bill_subscription,
        BillDue: _bill_due,
        IssueInvoice: _issue_invoice,
        ChargeInvoice: _charge_invoice,
        AdvanceDunning: _advance_dunning,
    }
)


def caller_for(app: App, job: Claimed) -> Caller:
    """The caller a job acts as: Bursar itself, in the job's organization, under its claim."""
    return Caller(
        app=app,
        org_id=job.org_id,
        actor=_actor(job.task),
        request_id=_request_id(),
        claim=job.claim,
    )


async def run_task(app: App, job: Claimed) -> None:
    """Run one claimed job to its end."""
    await HANDLERS[type(job.task)](caller_for(app, job), job.task)


def _request_id() -> str:
    """A traced job acts under the id of its trace: what it tells can be followed further."""
    trace = tracing.trace_id()
    return str(new_uuid() if trace is None else UUID(int=trace))


def _actor(task: Task) -> System:
    if isinstance(task, HandleProviderEvent):
        return System(f"{task.provider}:{task.event_id}")
    return System("worker")
