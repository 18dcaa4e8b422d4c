"""Refunds at Stripe: making one, and finding out what became of it.

A refund is believed only when it carries the ids, the amount and the currency that were asked for.
"""

from typing import TYPE_CHECKING, Any, Final

from bursar.domain.provider import (
    NotFound,
    RefundDone,
    RefundLookup,
    RefundOutcome,
    RefundQuestion,
    RefundRefused,
    RefundRequest,
    RefundUnderway,
    Unknown,
)
from bursar.providers.stripe.amounts import from_units, to_units
from bursar.providers.stripe.books import everything
from bursar.providers.stripe.shapes import Refund, id_of, read
from bursar.providers.stripe.translate import mismatch

if TYPE_CHECKING:
    from stripe._v1_services import V1Services
    from stripe.params import RefundCreateParams, RefundListParams

_FAILED: Final = "The bank could not give the money back."
_CODE_MAX: Final = 100


async def refund(v1: "V1Services", request: RefundRequest) -> RefundOutcome:
    """Ask for it; the same request always has the same key."""
    made = await v1.refunds.create_async(
        refund_params(request), {"idempotency_key": f"{request.refund_id}:refund"}
    )
    return believed(read(made, Refund), request)


async def found(v1: "V1Services", question: RefundQuestion) -> RefundLookup:
    """What the books say of it now."""
    if question.reference is not None:
        answer = await v1.refunds.retrieve_async(question.reference)
        return believed(read(answer, Refund), question.resend)
    return await _listed(v1, question.resend)


def refund_params(request: RefundRequest) -> "RefundCreateParams":
    """The request in Stripe's words."""
    params: RefundCreateParams = {
        "payment_intent": request.payment_reference,
        "amount": to_units(request.amount),
        "metadata": {
            "org_id": request.org_id,
            "payment_id": request.payment_id,
            "refund_id": request.refund_id,
        },
    }
    match request.reason:
        case "duplicate" | "fraudulent" | "requested_by_customer" as reason:
            params["reason"] = reason
    return params


def outcome_of_refund(seen: Refund) -> RefundOutcome:
    """What a refund, taken by itself, says about the money."""
    amount = from_units(seen.amount, seen.currency)
    match seen.status:
        case "succeeded":
            return RefundDone(seen.id, amount)
        case "pending" | "requires_action":
            return RefundUnderway(seen.id, amount)
        case "failed" | "canceled":
            code = (seen.failure_reason or seen.status)[:_CODE_MAX]
            return RefundRefused(code, _FAILED, seen.id)
        case _:
            status = str(seen.status)[:40]
            return Unknown(f"unexpected refund status {status}", is_outage=False)


def believed(seen: Refund, request: RefundRequest) -> RefundOutcome:
    """What was judged of a refund, unless it is not the one we asked for."""
    marks = (
        ("refund", seen.marks.get("refund_id"), request.refund_id),
        ("organization", seen.marks.get("org_id"), request.org_id),
    )
    charge = (("payment", id_of(seen.payment_intent), request.payment_reference),)
    facts = (
        *(charge if request.is_theirs else marks),
        ("currency", seen.currency, request.amount.currency),
        ("amount", seen.amount, to_units(request.amount)),
    )
    for name, theirs, ours in facts:
        if theirs != ours:
            return mismatch(name)
    return outcome_of_refund(seen)


async def _listed(v1: "V1Services", request: RefundRequest) -> RefundLookup:
    async def page(after: str | None) -> Any:
        params: RefundListParams = {"payment_intent": request.payment_reference, "limit": 100}
        if after is not None:
            params["starting_after"] = after
        return await v1.refunds.list_async(params)

    for seen in await everything(page, Refund):
        if seen.marks.get("refund_id") == request.refund_id:
            return believed(seen, request)
    return NotFound()
