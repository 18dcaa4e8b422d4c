"""What a provider is asked for an attempt: the same words each time it is asked.

A provider refuses a key that comes back with another request, so whatever could differ between two
sendings was written down with the attempt, and what a person may rename is not in it.
"""

from typing import Final

from bursar.domain.customers import Customer
from bursar.domain.ids import OrgId
from bursar.domain.payments import ASKING, Payment, PaymentMode
from bursar.domain.provider import ChargeRequest, CheckoutRequest

ProviderRequest = ChargeRequest | CheckoutRequest

DEPOSIT: Final = "Wallet deposit"


def provider_request(
    org_id: OrgId, payment: Payment, description: str, customer: Customer | None
) -> ProviderRequest | None:
    """The request for this attempt; None when nobody is asked."""
    if payment.mode not in ASKING:
        return None
    assert payment.success_url is not None
    assert payment.cancel_url is not None
    reference = None if customer is None else customer.provider_reference
    if payment.mode is PaymentMode.CHARGE:
        return ChargeRequest(
            org_id=org_id,
            payment_id=payment.id,
            invoice_id=payment.invoice_id,
            amount=payment.amount,
            customer_reference=reference or "",
            method_reference=payment.method_reference,
            description=description,
            return_url=payment.success_url,
        )
    return CheckoutRequest(
        org_id=org_id,
        payment_id=payment.id,
        invoice_id=payment.invoice_id,
        amount=payment.amount,
        customer_reference=reference,
        description=description,
        success_url=payment.success_url,
        cancel_url=payment.cancel_url,
    )
