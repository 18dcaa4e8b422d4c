"""Every fact Bursar tells, past tense, with its wire name.

One append-only log of these serves the audit trail, the timeline, webhooks and the feed. An event
carries the resource as it is afterwards and as it was before; what the world sees of both is
rendered by `domain.shapes` in the transaction that made it true. Internal facts stay in the audit
trail and are never delivered.
"""

from typing import ClassVar, Protocol

from msgspec import Struct

from bursar.domain.times import Instant


class Row(Protocol):
    """A noun's new state. Version 1 is inserted; a later one replaces exactly the one before."""

    @property
    def id(self) -> str:
        """The noun's own id."""
        ...

    @property
    def version(self) -> int:
        """Rises by one with each change."""
        ...

    @property
    def sequence(self) -> int:
        """How many events this resource has told so far."""
        ...

    @property
    def updated_at(self) -> Instant:
        """When the version began."""
        ...


class Event(Struct, frozen=True):
    """A fact about `subject`; `before` is the same resource a moment earlier, if it was.

    Whoever asks for all events hears of it, unless it says that they do not.
    """

    name: ClassVar[str]
    payload_version: ClassVar[int] = 1
    is_public: ClassVar[bool] = True
    is_in_all: ClassVar[bool] = True
    when: ClassVar[str]
    subject: Row
    before: Row | None = None


class OrganizationCreated(Event, frozen=True):
    name = "organization.created"
    is_public = False
    when = "Somebody creates an organization."


class OrganizationUpdated(Event, frozen=True):
    name = "organization.updated"
    is_public = False
    when = "An organization's settings change."


class OrganizationDeleted(Event, frozen=True):
    name = "organization.deleted"
    is_public = False
    when = "An owner deletes an organization; nobody enters it any more."


class MemberAdded(Event, frozen=True):
    name = "member.added"
    is_public = False
    when = (
        "A person becomes a member of an organization: its founder, or by accepting an invitation."
    )


class MemberInvited(Event, frozen=True):
    name = "member.invited"
    is_public = False
    when = "Somebody is invited, or invited once more."


class MemberRoleChanged(Event, frozen=True):
    name = "member.role_changed"
    is_public = False
    when = "A member gets another role; a change of ownership tells it of both members."


class MemberRemoved(Event, frozen=True):
    name = "member.removed"
    is_public = False
    when = "A member is removed, or an invitation is taken back."


class MemberLeft(Event, frozen=True):
    name = "member.left"
    is_public = False
    when = "A member leaves of their own accord."


class ApiKeyCreated(Event, frozen=True):
    name = "api_key.created"
    is_public = False
    when = "An API key is made; the key itself is never stored."


class ApiKeyRevoked(Event, frozen=True):
    name = "api_key.revoked"
    is_public = False
    when = "An API key is revoked and stops working at once."


class ApiKeyRotated(Event, frozen=True):
    name = "api_key.rotated"
    is_public = False
    when = "An API key gets a successor, and stops working when the overlap is over."


class CustomerCreated(Event, frozen=True):
    name = "customer.created"
    when = "A customer is created."


class CustomerUpdated(Event, frozen=True):
    name = "customer.updated"
    when = "A customer's details change, or the payment provider's id for them arrives."


class CustomerDeleted(Event, frozen=True):
    name = "customer.deleted"
    when = "A customer is deleted; their documents stay."


class CustomerErased(Event, frozen=True):
    name = "customer.erased"
    when = "What is known of a customer as a person is taken out; their documents stay."


class PlanCreated(Event, frozen=True):
    name = "plan.created"
    when = "A plan is created."


class PlanUpdated(Event, frozen=True):
    name = "plan.updated"
    when = "A plan's details change, or it gets a new version of its prices."


class PlanArchived(Event, frozen=True):
    name = "plan.archived"
    when = "A plan is archived: nobody subscribes to it any more."


class MeterCreated(Event, frozen=True):
    name = "meter.created"
    is_public = False
    when = "A meter is defined."


class SubscriptionCreated(Event, frozen=True):
    name = "subscription.created"
    when = "A customer subscribes to a plan."


class SubscriptionUpdated(Event, frozen=True):
    name = "subscription.updated"
    when = "A subscription changes: its plan, quantity or period, or what was overdue is paid."


class SubscriptionTrialEnded(Event, frozen=True):
    name = "subscription.trial_ended"
    when = "A trial is over; the first period that is paid for begins."


class SubscriptionPastDue(Event, frozen=True):
    name = "subscription.past_due"
    when = "An invoice of the subscription could not be collected."


class SubscriptionPaused(Event, frozen=True):
    name = "subscription.paused"
    when = "A subscription is paused: nothing is billed until it is resumed."


class SubscriptionResumed(Event, frozen=True):
    name = "subscription.resumed"
    when = "A paused subscription goes on."


class SubscriptionCanceled(Event, frozen=True):
    name = "subscription.canceled"
    when = "A subscription ends."


class SubscriptionReactivated(Event, frozen=True):
    name = "subscription.reactivated"
    when = "A cancellation is taken back in time."


class UsageThresholdReached(Event, frozen=True):
    name = "usage.threshold_reached"
    when = "What a subscription used in a period reaches a threshold of the meter, once."


class CouponCreated(Event, frozen=True):
    name = "coupon.created"
    is_public = False
    when = "A coupon is offered."


class CouponArchived(Event, frozen=True):
    name = "coupon.archived"
    is_public = False
    when = "A coupon is archived: nobody gets it any more."


class TaxRateCreated(Event, frozen=True):
    name = "tax_rate.created"
    is_public = False
    when = "A tax rate is introduced."


class TaxRateArchived(Event, frozen=True):
    name = "tax_rate.archived"
    is_public = False
    when = "A tax rate is archived: no line gets it any more."


class ImportFinished(Event, frozen=True):
    name = "import.finished"
    is_public = False
    when = "A file of customers or opening balances is taken over."


class InvoiceCreated(Event, frozen=True):
    name = "invoice.created"
    when = "A draft invoice is created."


class InvoiceUpdated(Event, frozen=True):
    name = "invoice.updated"
    when = "A draft invoice is edited."


class InvoiceFinalized(Event, frozen=True):
    name = "invoice.finalized"
    when = "A draft becomes an open invoice: it gets its number and is booked."


class InvoicePaid(Event, frozen=True):
    name = "invoice.paid"
    when = "Nothing is due on the invoice any more."


class InvoicePartiallyPaid(Event, frozen=True):
    name = "invoice.partially_paid"
    when = "A part of what was due has come in; the rest is still due."


class InvoiceMarkedUncollectible(Event, frozen=True):
    name = "invoice.marked_uncollectible"
    when = "Nobody expects what is due on an invoice any more; it is written off."


class InvoiceCredited(Event, frozen=True):
    name = "invoice.credited"
    when = "A credit note takes back a part of an invoice, or all of it."


class CreditNoteCreated(Event, frozen=True):
    name = "credit_note.created"
    when = "A credit note is issued."


class InvoiceVoided(Event, frozen=True):
    name = "invoice.voided"
    when = "An invoice is voided; its booking is reversed."


class InvoiceSent(Event, frozen=True):
    name = "invoice.sent"
    when = "An invoice is sent to its customer; the mail leaves right after."


class InvoiceLinkRevoked(Event, frozen=True):
    name = "invoice.link_revoked"
    when = "Every link to an invoice that was given out so far leads nowhere any more."


class InvoiceOverdue(Event, frozen=True):
    name = "invoice.overdue"
    when = "The due date of an open invoice has passed."


class DocumentSettingsUpdated(Event, frozen=True):
    name = "document_settings.updated"
    is_public = False
    when = "How an organization's documents and mail look changes."


class RecurringInvoiceCreated(Event, frozen=True):
    name = "recurring_invoice.created"
    when = "A template is made from which invoices come by themselves."


class RecurringInvoiceUpdated(Event, frozen=True):
    name = "recurring_invoice.updated"
    when = "A recurring invoice changes; its next invoice shows it."


class RecurringInvoiceIssued(Event, frozen=True):
    name = "recurring_invoice.issued"
    when = "An invoice was made from the template; `lastInvoiceId` names it."


class RecurringInvoicePaused(Event, frozen=True):
    name = "recurring_invoice.paused"
    when = "A recurring invoice makes no invoices until it is resumed."


class RecurringInvoiceResumed(Event, frozen=True):
    name = "recurring_invoice.resumed"
    when = "A paused recurring invoice goes on."


class RecurringInvoiceCanceled(Event, frozen=True):
    name = "recurring_invoice.canceled"
    when = "A recurring invoice ends by hand, or because its customer is gone."


class RecurringInvoiceCompleted(Event, frozen=True):
    name = "recurring_invoice.completed"
    when = "The end of a recurring invoice has passed; it makes no more invoices."


class WalletCreated(Event, frozen=True):
    name = "wallet.created"
    when = "A wallet is made: for a customer, at a member's first use, or for the organization."


class WalletUpdated(Event, frozen=True):
    name = "wallet.updated"
    when = "A wallet's name, limits or metadata change."


class WalletDeposited(Event, frozen=True):
    name = "wallet.deposited"
    when = "Money from outside was stored in a wallet."


class WalletWithdrawn(Event, frozen=True):
    name = "wallet.withdrawn"
    when = "Stored money was paid out of a wallet."


class WalletClosed(Event, frozen=True):
    name = "wallet.closed"
    when = "An empty wallet is closed and takes no more part."


class WalletReopened(Event, frozen=True):
    name = "wallet.reopened"
    when = "Money that came late opened a closed wallet again."


class HoldCreated(Event, frozen=True):
    name = "hold.created"
    when = "A part of a wallet's money is set aside."


class HoldCaptured(Event, frozen=True):
    name = "hold.captured"
    when = "Held money is taken, all of it or a part; the rest is free again."


class HoldReleased(Event, frozen=True):
    name = "hold.released"
    when = "Held money is free again, by hand."


class HoldExpired(Event, frozen=True):
    name = "hold.expired"
    when = "Held money is free again, because its time is over."


class TransactionInitiated(Event, frozen=True):
    name = "transaction.initiated"
    when = "A transfer between wallets is accepted."


class TransactionDebited(Event, frozen=True):
    name = "transaction.debited"
    when = "The amount has left the sender's wallet and is on its way."


class TransactionCredited(Event, frozen=True):
    name = "transaction.credited"
    when = "The amount has arrived in the receiver's wallet."


class TransactionCompleted(Event, frozen=True):
    name = "transaction.completed"
    when = "The transfer is done."


class TransactionRefunding(Event, frozen=True):
    name = "transaction.refunding"
    when = "The receiver's wallet did not take the amount; it goes back to the sender."


class TransactionFailed(Event, frozen=True):
    name = "transaction.failed"
    when = "The transfer is over and the sender has the amount back."


class WebhookSubscriptionCreated(Event, frozen=True):
    name = "webhook_subscription.created"
    is_public = False
    when = "A webhook endpoint is registered."


class WebhookSubscriptionUpdated(Event, frozen=True):
    name = "webhook_subscription.updated"
    is_public = False
    when = "A webhook endpoint's URL, event types or description change."


class WebhookSubscriptionPaused(Event, frozen=True):
    name = "webhook_subscription.paused"
    is_public = False
    when = "A webhook endpoint is paused: what happens waits for it."


class WebhookSubscriptionResumed(Event, frozen=True):
    name = "webhook_subscription.resumed"
    is_public = False
    when = "A webhook endpoint that was paused or switched off is sent to again."


class WebhookSubscriptionRotated(Event, frozen=True):
    name = "webhook_subscription.rotated"
    is_public = False
    when = "A webhook endpoint gets a new signing secret; the former one signs beside it for a day."


class WebhookSubscriptionTested(Event, frozen=True):
    name = "webhook_subscription.tested"
    is_public = False
    when = "Somebody has a test event sent to a webhook endpoint; it alone hears of it."


class WebhookSubscriptionReplayed(Event, frozen=True):
    name = "webhook_subscription.replayed"
    is_public = False
    when = "Somebody has the events of some time sent to a webhook endpoint again."


class WebhookSubscriptionSwitchedOff(Event, frozen=True):
    name = "webhook_subscription.switched_off"
    is_public = False
    when = "A webhook endpoint said 410, or did nothing but fail for five days."


class WebhookSubscriptionDeleted(Event, frozen=True):
    name = "webhook_subscription.deleted"
    is_public = False
    when = "A webhook endpoint is removed; nothing is sent to it any more."


class ClockFrozen(Event, frozen=True):
    name = "test_clock.frozen"
    is_public = False
    when = "An organization's time stops for real time: it has a test clock."


class ClockDeparted(Event, frozen=True):
    name = "test_clock.advancing"
    is_public = False
    when = "A test clock sets out for a later moment; what is due on the way is done in order."


class ClockArrived(Event, frozen=True):
    name = "test_clock.advanced"
    is_public = False
    when = "A test clock has arrived, and everything that was due on the way is done."


class ClockReleased(Event, frozen=True):
    name = "test_clock.released"
    is_public = False
    when = "An organization is back in real time."
