"""A payment attempt as the world sees it.

Tells where the customer must go, why a card was declined and what the provider calls the payment;
keeps to itself who began it, the hosted session's id and the watchdog's steps.
"""

from typing import Literal

from bursar.domain.payments import (
    REFUNDABLE,
    Payment,
    PaymentMode,
    PaymentPurpose,
    PaymentStatus,
    ReceiptMethod,
)
from bursar.domain.shapes.fields import Cents, Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class PaymentOut(Shape, frozen=True, kw_only=True):
    """One attempt. `creditedCents` of it became the customer's credit, not the invoice's.

    The last three tell what an accountant recorded who saw the money come.
    """

    id: str
    object: Literal["payment"] = "payment"
    purpose: PaymentPurpose
    invoice_id: str | None
    customer_id: str | None
    wallet_id: str | None
    amount_cents: Cents
    refunded_cents: Cents
    refundable_cents: Cents
    currency: str
    status: PaymentStatus
    mode: PaymentMode
    provider: str
    stripe_payment_intent_id: str | None
    checkout_url: str | None
    next_action_url: str | None
    failure_code: str | None
    failure_message: str | None
    attempt_count: int
    is_credited: bool
    credited_cents: Cents
    receipt_method: ReceiptMethod | None
    received_at: WireInstant | None
    reference: str | None
    expires_at: WireInstant | None
    settled_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        """The payment's shape."""
        receipt = payment.receipt
        left = payment.refundable
        return cls(
            id=payment.id,
            purpose=payment.purpose,
            invoice_id=payment.invoice_id,
            customer_id=payment.customer_id,
            wallet_id=payment.wallet_id,
            amount_cents=payment.amount.minor,
            refunded_cents=payment.refunded.minor,
            refundable_cents=left.minor if payment.status in REFUNDABLE else 0,
            currency=payment.amount.currency,
            status=payment.status,
            mode=payment.mode,
            provider=payment.provider,
            stripe_payment_intent_id=payment.provider_reference,
            checkout_url=payment.checkout_url,
            next_action_url=payment.next_action_url,
            failure_code=payment.failure_code,
            failure_message=payment.failure_message,
            attempt_count=1,  # each further attempt is a payment of its own
            is_credited=payment.is_credited,
            credited_cents=payment.credited.minor,
            receipt_method=None if receipt is None else receipt.method,
            received_at=None if receipt is None else instant(receipt.received_at),
            reference=None if receipt is None else receipt.reference,
            expires_at=instant(payment.expires_at),
            settled_at=instant(payment.settled_at),
            version=payment.version,
            created_at=wire_instant(payment.created_at),
            updated_at=wire_instant(payment.updated_at),
        )
