"""Reading Stripe's own books by listing: what became of a payment, and what an organization took.

Lists are consistent with what was just written; Stripe's Search may lag by an hour and is never
used. Every listing has a bound, and a listing that hits it answers `Unknown`, never half an answer.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.provider import (
    BookedCharge,
    CheckoutOpened,
    CheckoutRequest,
    LookupOutcome,
    LookupRequest,
    NotFound,
    Outcome,
    Unknown,
)
from bursar.providers.stripe.amounts import from_units
from bursar.providers.stripe.shapes import (
    BalanceEntry,
    Charge,
    Intent,
    ListedSetup,
    Method,
    Payout,
    Refund,
    Session,
    id_of,
    read,
)
from bursar.providers.stripe.translate import Asked, believed, outcome_of, outcome_of_session

if TYPE_CHECKING:
    from stripe._v1_services import V1Services
    from stripe.params import ChargeListParams, PaymentIntentListParams
    from stripe.params.checkout import SessionListParams

PAGES_MAX: Final = 100
_PAGE: Final = 100
# The provider's clock may differ from ours, and a key may be sent again for 23 hours.
_BEFORE: Final = timedelta(minutes=10)
_AFTER: Final = timedelta(hours=25)
# Of several objects of one payment, the one that is nearest to money speaks.
_NEAREST: Final = ("succeeded", "complete", "processing", "requires_action", "open")

Found = TypeVar("Found", Intent, Session)
Listed = TypeVar(
    "Listed", Intent, Session, Charge, Refund, BalanceEntry, Payout, ListedSetup, Method
)


class TooMany(ValueError):
    """A listing is longer than its bound."""


async def attempt(v1: "V1Services", request: LookupRequest) -> LookupOutcome:
    """What the books say of a payment whose reference we never learned."""
    if not isinstance(request.resend, CheckoutRequest):
        intents = await _mine(_intents(v1, request), Intent, request.payment_id)
        if intents:
            intent = _nearest(intents)
            return believed(intent, Asked.by(request), await _state(v1, intent))
    sessions = await _mine(_sessions(v1, request), Session, request.payment_id)
    if sessions:
        session = _nearest(sessions)
        return believed(session, Asked.by(request), outcome_of_session(session))
    return NotFound()


async def session_of(v1: "V1Services", intent_reference: str) -> Outcome | CheckoutOpened:
    """The hosted session an intent belongs to: as long as it is open, the intent is not over."""
    page = await v1.checkout.sessions.list_async(
        {"payment_intent": intent_reference, "limit": 1, "expand": ["data.payment_intent"]}
    )
    if not page.data:
        return Unknown("an intent without its session", is_outage=False)
    return outcome_of_session(read(page.data[0], Session))


async def charges_of(v1: "V1Services", org_id: OrgId) -> tuple[BookedCharge, ...]:
    """Every succeeded charge that carries the organization's mark.

    Raises:
        TooMany: the account holds more charges than the bound.
    """

    async def page(after: str | None) -> Any:
        params: ChargeListParams = {"limit": _PAGE}
        if after is not None:
            params["starting_after"] = after
        return await v1.charges.list_async(params)

    return tuple(
        _booked(charge)
        for charge in await everything(page, Charge)
        if charge.marks.get("org_id") == org_id and charge.status == "succeeded" and charge.captured
    )


def _booked(charge: Charge) -> BookedCharge:
    marks = charge.marks
    payment_id, org_id = marks.get("payment_id"), marks.get("org_id")
    return BookedCharge(
        reference=id_of(charge.payment_intent) or charge.id,
        payment_id=PaymentId(payment_id) if payment_id else None,
        org_id=OrgId(org_id) if org_id else None,
        amount=from_units(charge.amount_captured, charge.currency),
        refunded=from_units(charge.amount_refunded, charge.currency),
    )


async def _state(v1: "V1Services", intent: Intent) -> Outcome | CheckoutOpened:
    if intent.is_from_checkout and intent.status.startswith("requires_"):
        return await session_of(v1, intent.id)
    return outcome_of(intent)


def _intents(v1: "V1Services", request: LookupRequest) -> "Page":
    async def page(after: str | None) -> Any:
        params: PaymentIntentListParams = {"limit": _PAGE, "created": _window(request)}
        if request.customer_reference is not None:
            params["customer"] = request.customer_reference
        if after is not None:
            params["starting_after"] = after
        return await v1.payment_intents.list_async(params)

    return page


def _sessions(v1: "V1Services", request: LookupRequest) -> "Page":
    async def page(after: str | None) -> Any:
        params: SessionListParams = {
            "limit": _PAGE,
            "created": _window(request),
            "expand": ["data.payment_intent"],
        }
        if request.customer_reference is not None:
            params["customer"] = request.customer_reference
        if after is not None:
            params["starting_after"] = after
        return await v1.checkout.sessions.list_async(params)

    return page


def _window(request: LookupRequest) -> Any:
    """The range of creation, of one shape for every list."""
    return {
        "gte": int((request.created_at - _BEFORE).timestamp()),
        "lte": int((request.created_at + _AFTER).timestamp()),
    }


async def _mine(page: "Page", shape: type[Found], payment_id: PaymentId) -> list[Found]:
    return [
        found
        for found in await everything(page, shape)
        if found.marks.get("payment_id") == payment_id
    ]


async def everything(page: "Page", shape: type[Listed]) -> list[Listed]:
    """Every object of a listing.

    Raises:
        TooMany: it is longer than its bound.
    """
    found: list[Listed] = []
    for _ in range(PAGES_MAX):
        answer = await page(found[-1].id if found else None)
        found += [read(each, shape) for each in answer.data]
        if not answer.has_more or not answer.data:
            return found
    raise TooMany("more objects than a listing may hold")


def _nearest(found: list[Found]) -> Found:
    def distance(each: Found) -> int:
        return _NEAREST.index(each.status) if each.status in _NEAREST else len(_NEAREST)

    return min(found, key=distance)


Page = Callable[[str | None], Awaitable[Any]]
