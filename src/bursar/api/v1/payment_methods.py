"""`/v1/payment-methods`: what a customer is charged by, as the provider's token only."""

from bursar.api.envelope import created, travelled
from bursar.api.fields import Body, CustomerRef, NoQuery, ProviderToken
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.refusals import (
    NotFound,
    PaymentDeclined,
    ProviderFailed,
    ProviderNotConfigured,
    Unavailable,
)
from bursar.domain.shapes.customers import CustomerOut
from bursar.flows.attach_method import AttachMethod, attach_method
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Payment methods",
    prefix="/v1/payment-methods",
    about="Tokens of the payment provider; a card number is refused wherever it stands.",
)
CUSTOMERS = "/v1/customers"


class NewMethod(Body, frozen=True):
    """A token of the payment provider, and whose method it becomes."""

    customer_id: CustomerRef
    provider_token: ProviderToken


@ROOM.post(
    "",
    Terms(
        needs=Permission.PAYMENT_METHOD_WRITE,
        takes=NewMethod,
        gives=CustomerOut,
        status=201,
        refuses=(NotFound, PaymentDeclined, ProviderNotConfigured, ProviderFailed, Unavailable),
    ),
)
async def attach_payment_method(call: Call[NewMethod, NoQuery]) -> Answer:
    """Attach a payment method to a customer.

    It becomes the one that is charged; the answer is the customer with it.
    """
    body, reply = call.body, created(CustomerOut.of, CUSTOMERS)
    command = AttachMethod(body.customer_id, body.provider_token)
    return await travelled(attach_method(call.caller, command, reply), reply)
