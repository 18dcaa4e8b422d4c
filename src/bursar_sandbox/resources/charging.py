"""What happens when a payment intent meets a payment method: taken, refused, asked, or pending.

The one engine behind confirmation by API, the hosted checkout page and the 3-D Secure page. It
changes the intent, books the charge and tells the events; its callers word the answer.
"""

from typing import Literal

from bursar_sandbox.core import cards
from bursar_sandbox.core.cards import Authentication, Decline, Play
from bursar_sandbox.core.refusals import Refusal
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public
from bursar_sandbox.resources import charges, disputes, payment_methods

KIND = "payment_intent"
SETTLE_ACT = "settle_intent"
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method "
    "and try again.",
)
Presence = Literal["on_session", "off_session", "authenticated"]


def attempt(work: Work, intent: Thing, method: Thing, presence: Presence) -> Decline | None:
    """Charge the method; the decline, when it was refused."""
    play = payment_methods.play_of(method)
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    if presence != "authenticated" and _asks(play, method, presence):
        if presence == "off_session" or intent["_refuses_action"]:
            return refuse(work, intent, method, cards.AUTHENTICATION_REQUIRED)
        ask(work, intent)
    elif play.settles_after_s is not None:
        _wait(work, intent, method, play.settles_after_s)
    elif play.decline is not None:
        return refuse(work, intent, method, play.decline)
    else:
        _take(work, intent, charges.taken(work, intent, method), play)
    return None


def _asks(play: Play, method: Thing, presence: Presence) -> bool:
    is_here = presence == "on_session"
    match play.authentication:
        case Authentication.NEVER:
            return False
        case Authentication.ALWAYS:
            return True
        case Authentication.UNLESS_SET_UP:
            return is_here or not method.get("_is_set_up")
        case Authentication.ON_SESSION:
            return is_here


def ask(work: Work, intent: Thing) -> None:
    """Send the cardholder to the 3-D Secure page."""
    intent["status"] = "requires_action"
    intent["last_payment_error"] = None
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {
            "return_url": intent["_return_url"],
            "url": f"{work.public_url}/3ds/{intent['id']}",
        },
    }
    work.emit(f"{intent['object']}.requires_action", intent)


def refuse(work: Work, intent: Thing, method: Thing, decline: Decline) -> Decline:
    """Book a refused attempt; the intent waits for another method."""
    charge = None
    if decline is not AUTHENTICATION_FAILED:
        charge = charges.refused(work, intent, method, decline)
        intent["latest_charge"] = charge["id"]
    _back_to_start(work, intent, method, decline)
    return decline


def _back_to_start(work: Work, intent: Thing, method: Thing, decline: Decline) -> None:
    intent["status"] = "requires_payment_method"
    intent["next_action"] = None
    intent["processing"] = None
    intent["payment_method"] = None
    intent["last_payment_error"] = last_error(intent, method, decline)
    work.emit("payment_intent.payment_failed", intent)


def _wait(work: Work, intent: Thing, method: Thing, seconds: int) -> None:
    charge = charges.pending(work, intent, method)
    intent["latest_charge"] = charge["id"]
    intent["status"] = "processing"
    intent["processing"] = {"type": method["type"]}
    intent["last_payment_error"] = None
    work.emit("payment_intent.processing", intent)
    work.schedule(SETTLE_ACT, intent["id"], after_s=seconds)


def settle(work: Work, intent_id: str) -> Thing:
    """The late outcome of a processing intent."""
    intent = work.edit(KIND, intent_id)
    method = work.find(payment_methods.KIND, intent["payment_method"])
    play = payment_methods.play_of(method)
    charge = charges.settle(work, intent["latest_charge"], play.decline)
    if play.decline is None:
        _take(work, intent, charge, play)
    else:
        _back_to_start(work, intent, method, play.decline)
    return intent


def _take(work: Work, intent: Thing, charge: Thing, play: Play) -> None:
    intent["status"] = "succeeded"
    intent["amount_received"] = intent["amount"]
    intent["latest_charge"] = charge["id"]
    intent["last_payment_error"] = None
    intent["processing"] = None
    _keep_method(work, intent)
    work.emit("payment_intent.succeeded", intent)
    if play.dispute:
        disputes.open_for(work, charge["id"], play.dispute, is_inquiry=play.is_inquiry)


def _keep_method(work: Work, intent: Thing) -> None:
    method = work.edit(payment_methods.KIND, intent["payment_method"])
    if method["customer"] is not None:
        method["_is_set_up"] = method.get("_is_set_up") or _is_for_later(intent)
    elif intent["setup_future_usage"] and intent["customer"]:
        method["customer"] = intent["customer"]
        method["_is_set_up"] = _is_for_later(intent)
        work.emit("payment_method.attached", method)
    else:
        method["_is_used_up"] = True


def _is_for_later(intent: Thing) -> bool:
    return bool(intent["setup_future_usage"] == "off_session")


def last_error(intent: Thing, method: Thing, decline: Decline) -> Thing:
    """The error as the intent remembers it."""
    error: Thing = cards.card_error(decline).body()["error"]
    error["payment_method"] = public(method)
    charge_id = intent.get("latest_charge")
    return {**error, "charge": charge_id} if charge_id else error


def refusal(intent: Thing, decline: Decline) -> Refusal:
    """The 402 that answers a refused confirmation; the books keep the attempt."""
    error = dict(intent["last_payment_error"])
    error.pop("doc_url", None)
    error[intent["object"]] = public(intent)
    is_card = decline is not AUTHENTICATION_FAILED
    return Refusal(402 if is_card else 400, error, keeps_effects=True)
