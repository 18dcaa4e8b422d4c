"""Work for later, as frozen requests: imperative, carrying ids only.

A task may run twice; the verb behind it may not act twice. Tasks are not deduplicated: a key in a
unique index would make two commits wait for each other, and running twice is harmless anyway.
"""

from enum import StrEnum
from typing import ClassVar, Final

from msgspec import Struct

from bursar.domain.ids import (
    CustomerId,
    HoldId,
    InvoiceId,
    MailId,
    MeterId,
    PaymentId,
    PaymentMethodId,
    RecurringInvoiceId,
    RefundId,
    SubscriptionId,
    TransferId,
)


class Queue(StrEnum):
    """The five queues; concurrency, attempts and backoff stand in `QUEUE_RULES`."""

    NOTIFICATIONS = "notifications"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    INTEGRATIONS = "integrations"
    USAGE = "usage"


class QueueRule(Struct, frozen=True):
    """How one queue is worked: tasks at once per worker, attempts, and the first backoff."""

    concurrency: int
    attempts_max: int
    backoff_seconds: int


QUEUE_RULES: Final[dict[Queue, QueueRule]] = {
    Queue.NOTIFICATIONS: QueueRule(concurrency=5, attempts_max=3, backoff_seconds=5),
    Queue.INVOICES: QueueRule(concurrency=4, attempts_max=3, backoff_seconds=10),
    Queue.PAYMENTS: QueueRule(concurrency=2, attempts_max=5, backoff_seconds=15),
    Queue.INTEGRATIONS: QueueRule(concurrency=10, attempts_max=8, backoff_seconds=10),
    Queue.USAGE: QueueRule(concurrency=2, attempts_max=3, backoff_seconds=10),
}


class SyncCustomer(Struct, frozen=True):
    """Make the customer known to the payment provider, or tell it what changed."""

    customer_id: CustomerId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class SyncMethod(Struct, frozen=True):
    """Tell the payment provider that a method was detached, or became the default."""

    payment_method_id: PaymentMethodId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class HandleProviderEvent(Struct, frozen=True):
    """Act on a verified provider event that waits in the inbox."""

    provider: str
    event_id: str
    queue: ClassVar[Queue] = Queue.PAYMENTS


class ConfirmPayment(Struct, frozen=True):
    """Ask the provider's books what became of an attempt (the watchdog and the reconcile job)."""

    payment_id: PaymentId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class ConfirmRefund(Struct, frozen=True):
    """Ask the provider's books what became of a refund."""

    refund_id: RefundId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class ConfirmSetups(Struct, frozen=True):
    """Ask the provider's books which methods a customer has proven, or is just proving."""

    customer_id: CustomerId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class CloseAttempt(Struct, frozen=True):
    """Close an open checkout session whose invoice is gone."""

    payment_id: PaymentId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class ExpireHold(Struct, frozen=True):
    """Free what a hold set aside: its time is over."""

    hold_id: HoldId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class SendMail(Struct, frozen=True):
    """Send a mail that waits in the outbox of an organization or a person."""

    mail_id: MailId
    queue: ClassVar[Queue] = Queue.NOTIFICATIONS


class ResumeTransfer(Struct, frozen=True):
    """Credit what a transfer has debited, or give it back (the watchdog over `transit`)."""

    transfer_id: TransferId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class CheckThresholds(Struct, frozen=True):
    """See whether what a subscription used has reached a threshold of the meter."""

    subscription_id: SubscriptionId
    meter_id: MeterId
    queue: ClassVar[Queue] = Queue.USAGE


class IssueRecurring(Struct, frozen=True):
    """Make the invoice of a recurring one that is due."""

    recurring_invoice_id: RecurringInvoiceId
    queue: ClassVar[Queue] = Queue.INVOICES


class BillSubscription(Struct, frozen=True):
    """Bill what is due of a subscription, and begin its next period if the time has come."""

    subscription_id: SubscriptionId
    queue: ClassVar[Queue] = Queue.INVOICES


class BillDue(Struct, frozen=True):
    """Bill a number of subscriptions of the organization that are due, together."""

    queue: ClassVar[Queue] = Queue.INVOICES


class IssueInvoice(Struct, frozen=True):
    """Make a draft final that has waited for late usage long enough."""

    invoice_id: InvoiceId
    queue: ClassVar[Queue] = Queue.INVOICES


class FollowInvoice(Struct, frozen=True):
    """Remind of an open invoice, or tell that it is overdue, if that day has come."""

    invoice_id: InvoiceId
    queue: ClassVar[Queue] = Queue.INVOICES


class FollowInvoices(Struct, frozen=True):
    """The same of several invoices whose day came together, in one go."""

    invoice_ids: tuple[InvoiceId, ...]
    queue: ClassVar[Queue] = Queue.INVOICES


class PrintInvoice(Struct, frozen=True):
    """Print an invoice before anybody asks for it."""

    invoice_id: InvoiceId
    queue: ClassVar[Queue] = Queue.INVOICES


class ChargeInvoice(Struct, frozen=True):
    """Charge the customer's payment method for an invoice that billing made."""

    invoice_id: InvoiceId
    queue: ClassVar[Queue] = Queue.PAYMENTS


class AdvanceDunning(Struct, frozen=True):
    """Take the step that is due of an invoice in dunning."""

    invoice_id: InvoiceId
    queue: ClassVar[Queue] = Queue.PAYMENTS


Task = (
    SyncCustomer
    | SyncMethod
    | HandleProviderEvent
    | ConfirmPayment
    | ConfirmRefund
    | ConfirmSetups
    | CloseAttempt
    | ExpireHold
    | SendMail
    | ResumeTransfer
    | CheckThresholds
    | IssueRecurring
    | BillSubscription
    | BillDue
    | IssueInvoice
    | ChargeInvoice
    | FollowInvoice
    | FollowInvoices
    | PrintInvoice
    | AdvanceDunning
)
TASKS: Final[tuple[type[Task], ...]] = (
    SyncCustomer,
    SyncMethod,
    HandleProviderEvent,
    ConfirmPayment,
    ConfirmRefund,
    ConfirmSetups,
    CloseAttempt,
    ExpireHold,
    SendMail,
    ResumeTransfer,
    CheckThresholds,
    IssueRecurring,
    BillSubscription,
    BillDue,
    IssueInvoice,
    ChargeInvoice,
    FollowInvoice,
    FollowInvoices,
    PrintInvoice,
    AdvanceDunning,
)
