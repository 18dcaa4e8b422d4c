"""What a customer is told about an invoice: where it stands, in words nobody must look up.

Decided from the invoice and the attempts at paying it. Nothing is promised that the books do not
say: a payment is *being confirmed* until the provider has confirmed it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.money import Money
from bursar.domain.payments import Payment, PaymentMode, PaymentStatus

_DECLINED: Final = "Your card was declined."
_ENDED: Final = "expired"
"""The failure code of an attempt that nobody brought to an end; no card was refused."""

_NO_MONEY: Final = "There was not enough money on the card or account."
_CARD_ENDED: Final = "The card has expired."
_WRONG_CODE: Final = "The security code of the card was not right."
_UNPROVEN: Final = "The payment was not confirmed with your bank."
_TROUBLE: Final = "The bank could not process the payment just then."
_TOO_MUCH: Final = "The payment is above a limit of the card."
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "insufficient_funds": _NO_MONEY,
        "expired_card": _CARD_ENDED,
        "incorrect_cvc": _WRONG_CODE,
        "invalid_cvc": _WRONG_CODE,
        "authentication_required": _UNPROVEN,
        "payment_intent_authentication_failure": _UNPROVEN,
        "processing_error": _TROUBLE,
        "issuer_not_available": _TROUBLE,
        "try_again_later": _TROUBLE,
        "card_velocity_exceeded": _TOO_MUCH,
        "withdrawal_count_limit_exceeded": _TOO_MUCH,
        "card_declined": _DECLINED,
        "generic_decline": _DECLINED,
        # Whoever holds a card that was reported is told no more than anybody else.
        "do_not_honor": _DECLINED,
        "fraudulent": _DECLINED,
        "lost_card": _DECLINED,
        "pickup_card": _DECLINED,
        "stolen_card": _DECLINED,
    }
)
"""Why a payment failed, by the provider's code; what is not here stays in the bank's own words."""


class HostedState(Struct, frozen=True):
    """One state of the page. `tone` is good, bad, busy or plain."""

    label: str
    tone: str
    sentence: str
    can_pay: bool = False
    button: str = "Pay now"
    action_url: str | None = None
    is_refreshing: bool = False
    hope: str | None = None
    has_receipt: bool = False


_DUE: Final = HostedState("Open", "plain", "Payment is due.", can_pay=True)
_PAID: Final = HostedState(
    "Paid", "good", "Thank you. This invoice is paid in full.", has_receipt=True
)
_REFUNDED: Final = HostedState(
    "Refunded",
    "plain",
    "Your payment was refunded. It can take some days to arrive.",
    has_receipt=True,
)
_REFUNDED_IN_PART: Final = HostedState(
    "Refunded in part",
    "plain",
    "A part of your payment was refunded. It can take some days to arrive.",
    has_receipt=True,
)
_DISPUTED: Final = HostedState(
    "Paid", "plain", "Your bank is looking into this payment.", has_receipt=True
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
_VOID: Final = HostedState("Void", "plain", "This invoice was withdrawn. Nothing is due.")
_UNCOLLECTIBLE: Final = HostedState(
    "Closed", "plain", "This invoice can no longer be paid here. Please write to whoever sent it."
)


def state_of(
    invoice: Invoice, attempt: Payment | None, refunded: Money, *, has_returned: bool
) -> HostedState:
    """What to tell; `has_returned`: they come from the provider's page this very moment."""
    match invoice.status:
        case InvoiceStatus.PAID:
            return _paid_state(invoice, attempt, refunded)
        case InvoiceStatus.VOID:
            return _VOID
        case InvoiceStatus.OPEN if attempt is not None:
            return _late(invoice, _open_state(attempt, has_returned=has_returned))
        case InvoiceStatus.OPEN:
            return _late(invoice, _DUE)
        case _:
            return _UNCOLLECTIBLE


def _paid_state(invoice: Invoice, attempt: Payment | None, refunded: Money) -> HostedState:
    if attempt is not None and attempt.status is PaymentStatus.DISPUTED:
        return _DISPUTED
    if refunded.is_zero:
        return replace(_PAID, has_receipt=attempt is not None)
    return _REFUNDED if refunded >= invoice.paid else _REFUNDED_IN_PART


def _late(invoice: Invoice, state: HostedState) -> HostedState:
    """The same, where the due date has passed and nothing better is to be said."""
    if invoice.overdue_at is None or state.label != _DUE.label:
        return state
    return replace(state, label="Overdue", tone="bad", sentence="The due date has passed.")


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
        case PaymentStatus.REQUIRES_ACTION | PaymentStatus.PROCESSING:
            return _SLOW
        case _:
            return replace(_DUE, sentence="A part of it was paid. The rest is due.")


def _pending(attempt: Payment, *, has_returned: bool) -> HostedState:
    """A page of the provider stands open, or its answer is on the way.

    It leads back as returned only whoever has paid, whatever cards it refused before.
    """
    if attempt.mode is PaymentMode.CHARGE or has_returned:
        return _CONFIRMING
    if attempt.failure_message is not None:
        return _declined(attempt)
    return replace(_DUE, button="Continue to pay")


def _declined(attempt: Payment) -> HostedState:
    sentence = REASONS.get(attempt.failure_code or "", attempt.failure_message or _DECLINED)
    return HostedState(
        "Payment failed",
        "bad",
        sentence,
        can_pay=True,
        button="Try again",
        hope="Nothing was charged; you can try again.",
    )
