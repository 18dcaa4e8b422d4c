"""What a customer is told about an invoice: where it stands, in words nobody must look up.

Decided from the invoice and its history alone. Nothing is promised that the books do not say: a
payment is *being confirmed* until the provider has confirmed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bursar.domain.events import LoggedEvent
from bursar.domain.invoices import Invoice, InvoiceStatus

_FALLBACK: Final = "The payment was declined."
_WAITING: Final = frozenset({"processing"})


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


class _Attempt(msgspec.Struct, rename="camel"):
    """What the page needs of the last payment, as the event log shows it."""

    status: str
    mode: str
    failure_message: str | None = None
    next_action_url: str | None = None


def state_of(
    invoice: Invoice, history: Sequence[LoggedEvent], *, has_returned: bool
) -> HostedState:
    """What to tell; `has_returned`: they come from the provider's page this very moment."""
    match invoice.status:
        case InvoiceStatus.PAID:
            return HostedState("Paid", "good", "Thank you. This invoice is paid in full.")
        case InvoiceStatus.VOID:
            return HostedState("Void", "plain", "This invoice was withdrawn. Nothing is due.")
        case InvoiceStatus.OPEN:
            return _open_state(_last_attempt(history), has_returned=has_returned)
        case _:
            return HostedState("Closed", "plain", "This invoice can no longer be paid here.")


def _open_state(attempt: _Attempt | None, *, has_returned: bool) -> HostedState:
    if attempt is None:
        return HostedState("Open", "plain", "Payment is due.", can_pay=True)
    match attempt.status:
        case "processing" | "succeeded":
            return _confirming("Your payment is being processed. This can take a few days.")
        case "requires_action" if attempt.next_action_url is not None:
            return HostedState(
                "Confirm your payment",
                "busy",
                "Your bank asks you to confirm this payment.",
                action_url=attempt.next_action_url,
            )
        case "failed" if attempt.mode == "charge" or not has_returned:
            return _failed(attempt)
        case "pending" if has_returned or attempt.mode == "charge":
            return _confirming("Your payment is being confirmed. This page refreshes by itself.")
        case _:
            return _waiting(attempt)


def _confirming(sentence: str) -> HostedState:
    return HostedState("Processing", "busy", sentence, is_refreshing=True)


def _failed(attempt: _Attempt) -> HostedState:
    reason = attempt.failure_message or _FALLBACK
    if reason == "The attempt ended without a payment.":
        return HostedState("Open", "plain", "Payment is due.", can_pay=True)
    sentence = f"{reason} Nothing was charged; you can try again."
    return HostedState("Payment failed", "bad", sentence, can_pay=True, button="Try again")


def _waiting(attempt: _Attempt) -> HostedState:
    """A payment page stands open; the button leads to the very same one."""
    if attempt.failure_message is not None:
        return _failed(attempt)
    return HostedState("Open", "plain", "Payment is due.", can_pay=True, button="Continue to pay")


def _last_attempt(history: Sequence[LoggedEvent]) -> _Attempt | None:
    told = [event for event in history if event.resource_type == "payment"]
    return msgspec.json.decode(told[-1].snapshot, type=_Attempt) if told else None
