"""What is told of payments, refunds and disputes; see `events`."""

from bursar.domain.events import Event


class PaymentMethodAttached(Event, frozen=True):
    name = "payment_method.attached"
    when = "A payment method is attached to a customer."


class PaymentMethodDetached(Event, frozen=True):
    name = "payment_method.detached"
    when = "A payment method is taken from its customer; it is charged no more."


class PaymentMethodErased(Event, frozen=True):
    name = "payment_method.erased"
    when = "What a payment method shows of a card or an account is taken out with its customer."


class PaymentAttempted(Event, frozen=True):
    name = "payment.attempted"
    when = "A payment attempt begins, before the payment provider is asked."


class PaymentRequiresAction(Event, frozen=True):
    name = "payment.requires_action"
    when = "The cardholder must confirm the payment (3-D Secure)."


class PaymentProcessing(Event, frozen=True):
    name = "payment.processing"
    when = "The provider accepted the payment and decides later."


class PaymentUpdated(Event, frozen=True):
    name = "payment.updated"
    is_public = False
    when = "A payment learns something that changes no state, such as its checkout page."


class PaymentSucceeded(Event, frozen=True):
    name = "payment.succeeded"
    when = "The provider holds the money."


class PaymentFailed(Event, frozen=True):
    name = "payment.failed"
    when = "The attempt is over and no money moved."


class PaymentRefunded(Event, frozen=True):
    name = "payment.refunded"
    when = "All of a payment has been given back."


class PaymentPartiallyRefunded(Event, frozen=True):
    name = "payment.partially_refunded"
    when = "A part of a payment has been given back."


class PaymentRefundFailed(Event, frozen=True):
    name = "payment.refund_failed"
    when = "A refund came back after it had been sent: the payment holds that money again."


class RefundCreated(Event, frozen=True):
    name = "refund.created"
    when = "A refund begins, before the payment provider is asked; its amount is reserved."


class RefundUpdated(Event, frozen=True):
    name = "refund.updated"
    is_public = False
    when = "A refund learns something that changes no state."


class RefundProcessing(Event, frozen=True):
    name = "refund.processing"
    when = "The provider took the refund on, and the money is on its way."


class RefundSucceeded(Event, frozen=True):
    name = "refund.succeeded"
    when = "The money was given back."


class RefundFailed(Event, frozen=True):
    name = "refund.failed"
    when = "A refund was refused, or came back; its amount may be refunded again."


class PaymentDisputed(Event, frozen=True):
    name = "payment.disputed"
    when = "The cardholder's bank took the money back, and decides."


class PaymentDisputeClosed(Event, frozen=True):
    name = "payment.dispute_closed"
    when = "A dispute is over: won, the payment holds the money again; lost, it is gone."


class DisputeCreated(Event, frozen=True):
    name = "dispute.created"
    when = "A cardholder disputes a payment, or their bank asks about it."


class DisputeUpdated(Event, frozen=True):
    name = "dispute.updated"
    when = "A dispute changes: evidence is in, money moved, or the bank changed its mind."


class DisputeClosed(Event, frozen=True):
    name = "dispute.closed"
    when = "The bank has decided a dispute."


class PayoutCreated(Event, frozen=True):
    name = "payout.created"
    when = "The payment processor sends what it holds to the bank."


class PayoutUpdated(Event, frozen=True):
    name = "payout.updated"
    when = "A payout is on its way."


class PayoutPaid(Event, frozen=True):
    name = "payout.paid"
    when = "A payout has arrived at the bank."


class PayoutFailed(Event, frozen=True):
    name = "payout.failed"
    when = "A payout came back, or was canceled: the processor holds the money again."
