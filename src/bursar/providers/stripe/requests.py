"""Our requests in Stripe's words. The same request always gives the same parameters.

Stripe refuses a key that returns with other parameters, so nothing here may depend on the moment of
sending. Every object is marked with our ids: they are how its books are matched with ours.
"""

from typing import TYPE_CHECKING, Final

from bursar.domain.provider import ChargeRequest, CheckoutRequest
from bursar.providers.stripe.amounts import to_units
from bursar.providers.stripe.shapes import FROM_CHARGE, FROM_CHECKOUT

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams

_TEXT_MAX: Final = 250


def charge_params(request: ChargeRequest, method: str) -> "PaymentIntentCreateParams":
    return {
        "amount": to_units(request.amount),
        "currency": request.amount.currency,
        "customer": request.customer_reference,
        "payment_method": method,
        "confirm": True,
        "off_session": True,
        "return_url": request.return_url,
        "description": request.description[:_TEXT_MAX],
        "metadata": _marks(request, FROM_CHARGE),
    }


def checkout_params(request: CheckoutRequest) -> "SessionCreateParams":
    marks = _marks(request, FROM_CHECKOUT)
    text = request.description[:_TEXT_MAX]
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": request.payment_id,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": request.amount.currency,
                    "unit_amount": to_units(request.amount),
                    "product_data": {"name": text},
                },
            }
        ],
        # Otherwise Stripe may present, and book, another currency than the invoice's.
        "adaptive_pricing": {"enabled": False},
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "description": text},
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
    }
    if request.customer_reference is not None:
        params["customer"] = request.customer_reference
    if request.expires_at is not None:
        params["expires_at"] = int(request.expires_at.timestamp())
    return params


def _marks(request: ChargeRequest | CheckoutRequest, source: str) -> dict[str, str]:
    marks = {"org_id": request.org_id, "payment_id": request.payment_id, "source": source}
    return marks if request.invoice_id is None else {**marks, "invoice_id": request.invoice_id}
