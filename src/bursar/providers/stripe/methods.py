"""Stored payment methods at Stripe: attached, chosen, detached, with what may be shown of them."""

from typing import TYPE_CHECKING, Final

from bursar.domain.provider import Linked, MethodAttached, MethodFace, Unknown
from bursar.providers.stripe.shapes import Method, id_of, read
from bursar.providers.stripe.translate import mismatch

if TYPE_CHECKING:
    from stripe._v1_services import V1Services

_SHOWN_MAX: Final = 100
_LAST: Final = 4


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
