"""Stored payment methods at Stripe: attached or proven, chosen, detached, and what is shown."""

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import stripe

from bursar.domain.ids import CustomerId, OrgId
from bursar.domain.provider import (
    Linked,
    MethodAttached,
    MethodFace,
    NotFound,
    SetupOutcome,
    SetupRequest,
    SetupSeen,
    Unknown,
)
from bursar.domain.times import Instant
from bursar.providers.stripe.books import everything
from bursar.providers.stripe.shapes import (
    CHOSEN,
    NOT_CHOSEN,
    ListedSetup,
    Method,
    SetupIntent,
    id_of,
    read,
)
from bursar.providers.stripe.translate import mismatch, outcome_of_setup

if TYPE_CHECKING:
    from stripe._v1_services import V1Services
    from stripe.params import (
        CustomerPaymentMethodListParams,
        SetupIntentCreateParams,
        SetupIntentListParams,
    )

_SHOWN_MAX: Final = 100
_LAST: Final = 4
_PROVEN: Final = "succeeded"
_WAITING: Final = ("requires_action", "processing")
_PAGE: Final = 100


async def attach(
    v1: "V1Services", customer_reference: str, *, token: str, is_default: bool
) -> MethodAttached | Unknown:
    """Give the method to the customer."""
    answer = await v1.payment_methods.attach_async(token, {"customer": customer_reference})
    attached = read(answer, Method)
    if id_of(attached.customer) != customer_reference:
        return mismatch("payment method")  # whoever it is of, nobody else is charged by it
    if is_default:
        await choose(v1, customer_reference, method=attached.id)
    return MethodAttached(attached.id, face_of(attached))


async def set_up(v1: "V1Services", request: SetupRequest) -> SetupOutcome:
    """Prove the method with its holder, and give it to the customer."""
    created = await v1.setup_intents.create_async(
        setup_params(request), {"idempotency_key": _setup_key(request)}
    )
    seen = read(created, SetupIntent)
    if seen.status != _PROVEN:
        # A replayed answer is as it was when first given; its holder may have acted since.
        seen = read(await v1.setup_intents.retrieve_async(seen.id), SetupIntent)
    reference = request.customer_reference
    if id_of(seen.customer) != reference or seen.marks.get("org_id") != request.org_id:
        return mismatch("setup")
    method = id_of(seen.payment_method)
    if seen.status != _PROVEN or method is None:
        return outcome_of_setup(seen)
    kept = read(await v1.payment_methods.retrieve_async(method), Method)
    if kept.id != method or id_of(kept.customer) != reference:
        return mismatch("payment method")
    if request.is_default:
        await choose(v1, reference, method=kept.id)
    return MethodAttached(kept.id, face_of(kept))


async def find(
    v1: "V1Services", customer_reference: str, *, method: str
) -> MethodAttached | NotFound | Unknown:
    """A method of this customer, as it is now."""
    try:
        answer = await v1.payment_methods.retrieve_async(method)
    except stripe.InvalidRequestError as refused:
        if refused.code == "resource_missing":
            return NotFound()
        raise
    found = read(answer, Method)
    if found.id != method:
        return mismatch("payment method")
    if id_of(found.customer) != customer_reference:
        return NotFound()
    return MethodAttached(found.id, face_of(found))


async def setups(
    v1: "V1Services", customer_reference: str, *, org_id: OrgId, since: Instant
) -> tuple[SetupSeen, ...]:
    """The customer's setups of this organization since then, but those that came to nothing.

    Raises:
        TooMany: there are more than the bound.
    """

    async def page(after: str | None) -> Any:
        params: SetupIntentListParams = {
            "customer": customer_reference,
            "created": {"gte": int(since.timestamp())},
            "expand": ["data.payment_method"],
            "limit": _PAGE,
        }
        if after is not None:
            params["starting_after"] = after
        return await v1.setup_intents.list_async(params)

    listed = await everything(page, ListedSetup)
    mine = [each for each in listed if each.marks.get("org_id") == org_id]
    seen = [_seen(each, customer_reference) for each in mine]
    return tuple(each for each in seen if each is not None)


def _seen(setup: ListedSetup, customer_reference: str) -> SetupSeen | None:
    customer_id = CustomerId(setup.marks.get("customer_id", ""))
    if setup.status in _WAITING:
        return SetupSeen(customer_id, None, setup.is_default)
    method = setup.payment_method
    if setup.status != _PROVEN or method is None or id_of(method.customer) != customer_reference:
        return None
    return SetupSeen(customer_id, MethodAttached(method.id, face_of(method)), setup.is_default)


def setup_params(request: SetupRequest) -> "SetupIntentCreateParams":
    """The request in Stripe's words."""
    return {
        "customer": request.customer_reference,
        "payment_method": request.token,
        "confirm": True,
        "usage": "off_session",
        "return_url": request.return_url,
        "metadata": {
            "org_id": request.org_id,
            "customer_id": request.customer_id,
            "is_default": CHOSEN if request.is_default else NOT_CHOSEN,
        },
    }


def _setup_key(request: SetupRequest) -> str:
    """The same for the same wish; a token and an address may be longer than a key."""
    wish = f"{request.token}\n{request.return_url}\n{request.is_default}".encode()
    return f"{request.customer_id}:setup:{hashlib.sha256(wish).hexdigest()}"


async def choose(v1: "V1Services", customer_reference: str, *, method: str) -> Linked:
    """Make an attached method the customer's default."""
    await v1.customers.update_async(
        customer_reference, {"invoice_settings": {"default_payment_method": method}}
    )
    return Linked(method)


async def detach(v1: "V1Services", method: str) -> Linked:
    """Take the method from its customer for good."""
    await v1.payment_methods.detach_async(method)
    return Linked(method)


async def detach_all(v1: "V1Services", customer_reference: str) -> Linked:
    """Take every method from the customer; what went meanwhile is gone.

    Raises:
        TooMany: there are more than the bound.
    """

    async def page(after: str | None) -> Any:
        params: CustomerPaymentMethodListParams = {"limit": _PAGE}
        if after is not None:
            params["starting_after"] = after
        return await v1.customers.payment_methods.list_async(customer_reference, params)

    for method in await everything(page, Method):
        with suppress(stripe.InvalidRequestError):
            await detach(v1, method.id)
    return Linked(customer_reference)


def face_of(method: Method) -> MethodFace:
    """What may be shown of it, never longer than it can be kept."""
    kind = method.type[:_SHOWN_MAX]
    if method.card is not None:
        card = method.card
        return MethodFace(
            kind, _shown(card.brand), _last(card.last4), card.exp_month, card.exp_year
        )
    if method.us_bank_account is not None:
        account = method.us_bank_account
        return MethodFace(kind, _shown(account.bank_name), _last(account.last4))
    return MethodFace(kind)


def _shown(text: str | None) -> str | None:
    return None if text is None else text[:_SHOWN_MAX]


def _last(digits: str | None) -> str | None:
    return None if digits is None else digits[-_LAST:]
