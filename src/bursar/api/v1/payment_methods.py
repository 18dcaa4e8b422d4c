"""`/v1/payment-methods`: what a customer is charged by, as the provider's token only."""

from typing import Any

from bursar.api.envelope import changed, created, found, gone, resource, travelled
from bursar.api.fields import Body, CustomerRef, NoQuery, Nothing, ProviderToken, Url
from bursar.api.merging import peeked
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.paying import own_return_url
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import PaymentMethodId
from bursar.domain.refusals import (
    IllegalTransition,
    NotFound,
    PaymentDeclined,
    ProviderFailed,
    ProviderNotConfigured,
    Unavailable,
)
from bursar.domain.shapes.payment_methods import MethodSetupOut, PaymentMethodOut
from bursar.flows.save_method import AttachMethod, SetUpMethod, attach_method, set_up_method
from bursar.operations.payment_methods import (
    Kept,
    NameMethod,
    detach_method,
    set_default_method,
)
from bursar.reads.customers import customer as customer_look
from bursar.reads.payment_methods import MethodFilters
from bursar.reads.payment_methods import payment_method as method_look
from bursar.reads.payment_methods import payment_methods as methods_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Payment methods",
    prefix="/v1/payment-methods",
    about="Tokens of the payment provider; a card number is refused wherever it stands.",
)


class NewMethod(Body, frozen=True):
    """A token of the payment provider, and whose method it becomes.

    It becomes the one that is charged, unless `default` is false and there is one already.
    """

    customer_id: CustomerRef
    provider_token: ProviderToken
    default: bool = True


class SetupBody(NewMethod, frozen=True):
    """A token of the payment provider, whose method it becomes, and where its holder comes back to.

    `returnUrl` must lead to this installation.
    """

    return_url: Url | None = None


class MethodQuery(ListQuery, frozen=True):
    """Which methods; the detached ones only if asked for."""

    customer_id: CustomerRef | None = None
    include_detached: bool = False


def _id(call: Call[Any, Any]) -> PaymentMethodId:
    return PaymentMethodId(call.id("paymentMethodId"))


def _proven(kept: Kept) -> Answer:
    where = f"{ROOM.prefix}/{kept.method.id}"
    return resource(MethodSetupOut.of_method(kept.method), status=201, location=where)


def _shape(kept: Kept) -> PaymentMethodOut:
    return PaymentMethodOut.of(kept.method)


@ROOM.post(
    "",
    Terms(
        needs=Permission.PAYMENT_METHOD_WRITE,
        takes=NewMethod,
        gives=PaymentMethodOut,
        status=201,
        refuses=(NotFound, PaymentDeclined, ProviderNotConfigured, ProviderFailed, Unavailable),
    ),
)
async def attach_payment_method(call: Call[NewMethod, NoQuery]) -> Answer:
    """Attach a payment method to a customer.

    It becomes the one that is charged, unless `default` is false. What waits in dunning for another
    method is tried with it at once.
    """
    body, reply = call.body, created(_shape, ROOM.prefix)
    command = AttachMethod(body.customer_id, body.provider_token, is_default=body.default)
    return await travelled(attach_method(call.caller, command, reply), reply)


@ROOM.post(
    "/set-up",
    Terms(
        needs=Permission.PAYMENT_METHOD_WRITE,
        takes=SetupBody,
        gives=MethodSetupOut,
        status=201,
        also={202: "The cardholder has to act at `nextActionUrl` first."},
        refuses=(NotFound, PaymentDeclined, ProviderNotConfigured, ProviderFailed, Unavailable),
    ),
)
async def set_up_payment_method(call: Call[SetupBody, NoQuery]) -> Answer:
    """Save a payment method without a payment, proven with its holder.

    A bank may ask the cardholder to prove themselves (3-D Secure). The answer is then 202: send
    them to `nextActionUrl`, and send the same request again when they are back at `returnUrl`. Who
    proved a card and never comes back has it too, soon. What was proven is charged later without
    them.
    """
    caller, body = call.caller, call.body
    known = await peeked(caller.look(customer_look, body.customer_id))
    wish = None if known is None else body.return_url  # a stranger's customer is 404 before all
    command = SetUpMethod(
        customer_id=body.customer_id,
        provider_token=body.provider_token,
        return_url=own_return_url(caller, wish),
        is_default=body.default,
    )
    said = await set_up_method(caller, command, _proven)
    if isinstance(said, Kept):
        return _proven(said)
    return resource(MethodSetupOut.of_action(said.url), status=202)


@ROOM.get(
    "",
    Terms(needs=Permission.PAYMENT_READ, gives=PaymentMethodOut, is_list=True, query=MethodQuery),
)
async def list_payment_methods(call: Call[None, MethodQuery]) -> Answer:
    """List payment methods, newest first; `customerId` leaves those of one customer."""
    query, page = call.query, pages(call.caller, call.query)
    filters = MethodFilters(customer_id=query.customer_id, has_detached=query.include_detached)
    shown = await call.caller.look(methods_look, page, filters)
    return piece(call.caller, page, shown, PaymentMethodOut.of)


@ROOM.get(
    "/{paymentMethodId}",
    Terms(needs=Permission.PAYMENT_READ, gives=PaymentMethodOut, refuses=(NotFound,)),
)
async def get_payment_method(call: Call[None, NoQuery]) -> Answer:
    """Get a payment method."""
    return resource(PaymentMethodOut.of(await call.caller.look(method_look, _id(call))))


@ROOM.post(
    "/{paymentMethodId}/set-default",
    Terms(
        needs=Permission.PAYMENT_METHOD_WRITE,
        takes=Nothing,
        gives=PaymentMethodOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def set_default_payment_method(call: Call[Nothing, NoQuery]) -> Answer:
    """Charge this method from now on.

    What waits in dunning for another method is tried with it at once.
    """
    return await changed(call.caller, set_default_method, NameMethod(_id(call)), found(_shape))


@ROOM.delete(
    "/{paymentMethodId}",
    Terms(needs=Permission.PAYMENT_METHOD_WRITE, status=204, refuses=(NotFound,)),
)
async def detach_payment_method(call: Call[Nothing, NoQuery]) -> Answer:
    """Detach a payment method.

    It is charged no more from this moment; the payment provider is told soon. If it was the
    customer's default, they have none until another one is chosen.
    """
    return await changed(call.caller, detach_method, NameMethod(_id(call)), gone)
