"""Setup intents: a method proven and kept for later, without money."""

from bursar_sandbox.core import cards, lists
from bursar_sandbox.core.cards import Authentication, Decline
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import unexpected_state
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public
from bursar_sandbox.resources import charging, customers, payment_intents, payment_methods

KIND = "setup_intent"
OPEN = payment_intents.OPEN


def create(work: Work, params: Params) -> Thing:
    """Book a setup intent and, with `confirm`, prove the method at once."""
    intent = _blank(work)
    customer = params.text("customer")
    if customer:
        intent["customer"] = customers.living(work, customer, "customer", 400)["id"]
    intent["usage"] = params.choice("usage", ("off_session", "on_session")) or "off_session"
    intent["description"] = params.text("description") or None
    intent["metadata"] = params.metadata()
    intent["payment_method_types"] = payment_intents.named_types(params) or ["card"]
    automatic = params.nested("automatic_payment_methods")
    if automatic and automatic.boolean("enabled"):
        redirects = automatic.choice("allow_redirects", ("always", "never"))
        intent["automatic_payment_methods"] = {
            "allow_redirects": redirects or "always",
            "enabled": True,
        }
    confirms = params.boolean("confirm") or False
    method = _read(work, params, intent)
    params.done()
    work.add(intent)
    work.emit("setup_intent.created", intent)
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return _confirm(work, intent, method) if confirms else intent


def confirm(work: Work, params: Params, intent_id: str) -> Thing:
    work.find(KIND, intent_id)
    intent = work.edit(KIND, intent_id)
    method = _read(work, params, intent)
    params.accept("client_secret", "use_stripe_sdk")
    params.done()
    if method is None and intent["payment_method"]:
        method = work.find(payment_methods.KIND, intent["payment_method"])
    return _confirm(work, intent, method)


def cancel(work: Work, params: Params, intent_id: str) -> Thing:
    work.find(KIND, intent_id)
    intent = work.edit(KIND, intent_id)
    reasons = ("abandoned", "duplicate", "requested_by_customer")
    reason = params.choice("cancellation_reason", reasons)
    params.done()
    if intent["status"] not in OPEN:
        raise _wrong_state(intent, "cancel")
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    work.emit("setup_intent.canceled", intent)
    return intent


def retrieve(work: Work, params: Params, intent_id: str) -> Thing:
    params.accept("client_secret")
    params.done()
    return work.find(KIND, intent_id)


def listed(work: Work, params: Params) -> Thing:
    fields = ("customer", "payment_method")
    return lists.listing(work, KIND, params, "/v1/setup_intents", *fields)


def succeed(work: Work, intent: Thing) -> None:
    """The method is proven: attach it and remember that it may be used without the cardholder."""
    method = work.edit(payment_methods.KIND, intent["payment_method"])
    if intent["customer"] and method["customer"] is None:
        method["customer"] = intent["customer"]
        work.emit("payment_method.attached", method)
    method["_is_set_up"] = intent["usage"] == "off_session"
    intent |= {"status": "succeeded", "next_action": None, "last_setup_error": None}
    work.emit("setup_intent.succeeded", intent)


def refuse(work: Work, intent: Thing, method: Thing, decline: Decline) -> None:
    """The method could not be proven; the intent waits for another."""
    intent |= {
        "status": "requires_payment_method",
        "next_action": None,
        "payment_method": None,
        "last_setup_error": charging.last_error(intent, method, decline),
    }
    work.emit("setup_intent.setup_failed", intent)


def _read(work: Work, params: Params, intent: Thing) -> Thing | None:
    reference, described = params.text("payment_method"), params.nested("payment_method_data")
    intent["_return_url"] = params.url("return_url") or intent["_return_url"]
    params.accept("mandate_data", "payment_method_options")
    if reference:
        method = payment_methods.find(work, reference, status=400)
    elif described is not None:
        method = work.add(payment_methods.read(work, described))
    else:
        return None
    payment_intents.check_owner(method, intent)
    return method


def _confirm(work: Work, intent: Thing, method: Thing | None) -> Thing:
    if intent["status"] not in OPEN:
        raise _wrong_state(intent, "confirm")
    if method is None:
        raise unexpected_state(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            public(intent),
        )
    intent["payment_method"] = method["id"]
    play = payment_methods.play_of(method)
    if play.decline and play.declines_on_attach:
        refuse(work, intent, method, play.decline)
        error = {**intent["last_setup_error"], KIND: public(intent)}
        refusal = cards.card_error(play.decline)
        refusal.error |= error
        raise refusal
    if play.authentication is Authentication.NEVER:
        succeed(work, intent)
    else:
        charging.ask(work, intent)
    return intent


def _wrong_state(intent: Thing, verb: str) -> Exception:
    return unexpected_state(
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}.",
        public(intent),
    )


def _blank(work: Work) -> Thing:
    intent_id = work.ids.next("seti_")
    return {
        "id": intent_id,
        "object": KIND,
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": work.ids.next(f"{intent_id}_secret_"),
        "created": work.now,
        "customer": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        "_return_url": None,
    }
