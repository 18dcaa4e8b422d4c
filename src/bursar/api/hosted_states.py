"""What a customer is told about an invoice: where it stands, in words nobody must look up.

Decided from the invoice and the last attempt at paying it. Nothing is promised that the books do
not say: a payment is *being confirmed* until the provider has confirmed it.
"""

from dataclasses import dataclass, replace
from typing import Final

from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus

_FALLBACK: Final = "The payment was declined."
_ENDED: Final = "expired"
"""The failure code of an attempt that nobody brought to an end; no card was refused."""


@dataclass(frozen=True, slots=True)
class HostedState:
    """One state of the page. `tone` is good, bad, busy or plain."""

    label: str
    tone: str
    sentence: str
    can_pay: bool = False
    button: str = "Pay now"
    action_url: str | None = None
    is_refreshing: bool = False
    hope: str | None = None


_DUE: Final = HostedState("Open", "plain", "Payment is due.", can_pay=True)
_CONTINUE: Final = HostedState(
    "Open", "plain", "Payment is due.", can_pay=True, button="Continue to pay"
)
_CONFIRMING: Final = HostedState(
    "Processing",
    "busy",
    "Your payment is being confirmed. This page refreshes by itself.",
    is_refreshing=True,
)
_SLOW: Final = HostedState(
    "Processing",
    "busy",
    "Your payment is being processed. With some banks this takes a few days.",
)


def state_of(invoice: Invoice, attempt: Payment | None, *, has_returned: bool) -> HostedState:
    """What to tell; `has_returned`: they come from the provider's page this very moment."""
    match invoice.status:
        case InvoiceStatus.PAID:
            return HostedState("Paid", "good", "Thank you. This invoice is paid in full.")
        case InvoiceStatus.VOID:
            return HostedState("Void", "plain", "This invoice was withdrawn. Nothing is due.")
        case InvoiceStatus.OPEN if attempt is not None:
            return _open_state(attempt, has_returned=has_returned)
        case InvoiceStatus.OPEN:
            return _DUE
        case _:
            return HostedState("Closed", "plain", "This invoice can no longer be paid here.")


def _open_state(attempt: Payment, *, has_returned: bool) -> HostedState:
    match attempt.status:
        case PaymentStatus.FAILED:
            return _DUE if attempt.failure_code == _ENDED else _declined(attempt)
        case PaymentStatus.REQUIRES_ACTION if attempt.next_action_url is not None:
            sentence = "Your bank asks you to confirm this payment."
            url = attempt.next_action_url
            return HostedState("Confirm your payment", "busy", sentence, action_url=url)
        case PaymentStatus.PENDING:
            return _pending(attempt, has_returned=has_returned)
        case _:
            return _SLOW


def _pending(attempt: Payment, *, has_returned: bool) -> HostedState:
    """A page of the provider stands open, or its answer is on the way."""
    if attempt.mode is PaymentMode.CHARGE:
        return _CONFIRMING
    if attempt.failure_message is not None:
        return _declined(attempt)
    return _CONFIRMING if has_returned else _CONTINUE


def _declined(attempt: Payment) -> HostedState:
    sentence = attempt.failure_message or _FALLBACK
    state = HostedState("Payment failed", "bad", sentence, can_pay=True, button="Try again")
    return replace(state, hope="Nothing was charged; you can try again.")
