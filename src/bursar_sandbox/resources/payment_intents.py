"""Payment intents: one wish to be paid, from the first card tried to the money or the cancellation.

This room reads requests and refuses what the intent's status forbids; `charging` moves the money.
"""

from bursar_sandbox.core import amounts, lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, refused, unexpected_state
from bursar_sandbox.core.search import found
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public
from bursar_sandbox.resources import charging, customers, payment_methods

KIND = charging.KIND
URL = "/v1/payment_intents"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
FIXED = ("processing", "succeeded", "canceled")
TYPES = ("card", "us_bank_account")
DESCRIBING = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CARRIED = ("mandate", "mandate_data", "payment_method_options", "shipping", "use_stripe_sdk")


def create(work: Work, params: Params) -> Thing:
    """Book an intent and, with `confirm`, try to be paid at once."""
    amount = params.integer("amount")
    code = amounts.currency(params)
    if amount is None:
        raise invalid("Missing required param: amount.", "amount", "parameter_missing")
    amounts.check(amount, code)
    intent = blank(work, amount, code)
    _read(work, params, intent)
    _read_manner(params, intent)
    confirms = params.boolean("confirm") or False
    is_away = params.boolean("off_session") or False
    return_url = params.url("return_url")
    intent["_refuses_action"] = params.boolean("error_on_requires_action") or False
    if not confirms and (is_away or return_url or intent["_refuses_action"]):
        name = "off_session" if is_away else "return_url"
        raise invalid(f"You can only pass {name} when confirm is true.", name)
    method = _method(work, params, intent)
    params.done()
    work.add(intent)
    work.emit("payment_intent.created", intent)
    if not confirms:
        return _waiting(intent, method)
    return _confirm(work, intent, method, return_url, is_away=is_away)


def update(work: Work, params: Params, intent_id: str) -> Thing:
    work.find(KIND, intent_id)
    intent = work.edit(KIND, intent_id)
    amount = params.integer("amount")
    if amount is not None and amount != intent["amount"]:
        if intent["status"] in FIXED:
            raise _wrong_state(intent, "change the amount of")
        amounts.check(amount, intent["currency"])
        intent["amount"] = amount
    if params.has("payment_method") and intent["status"] in FIXED:
        raise _wrong_state(intent, "change the payment method of")
    _read(work, params, intent)
    method = _method(work, params, intent)
    params.done()
    return _waiting(intent, method) if method else intent


def confirm(work: Work, params: Params, intent_id: str) -> Thing:
    work.find(KIND, intent_id)
    intent = work.edit(KIND, intent_id)
    if intent["_session"]:
        raise refused("You cannot confirm a PaymentIntent that was created by Checkout.")
    if intent["status"] not in OPEN:
        raise _wrong_state(intent, "confirm")
    is_away = params.boolean("off_session") or False
    return_url = params.url("return_url")
    _read_usage(params, intent)
    params.accept(*CARRIED, "client_secret")
    intent["_refuses_action"] = params.boolean("error_on_requires_action") or False
    method = _method(work, params, intent)
    params.done()
    return _confirm(work, intent, method, return_url, is_away=is_away)


def cancel(work: Work, params: Params, intent_id: str) -> Thing:
    work.find(KIND, intent_id)
    reason = params.choice("cancellation_reason", REASONS)
    params.done()
    intent = work.edit(KIND, intent_id)
    if intent["_session"]:
        raise refused(
            "You cannot cancel the PaymentIntent of a Checkout Session. Expire the Checkout "
            "Session instead."
        )
    if intent["status"] not in OPEN:
        raise _wrong_state(intent, "cancel")
    return closed(work, intent, reason)


def closed(work: Work, intent: Thing, reason: str | None) -> Thing:
    """Cancel an open intent."""
    intent |= {"status": "canceled", "canceled_at": work.now, "cancellation_reason": reason}
    intent["next_action"] = None
    work.emit("payment_intent.canceled", intent)
    return intent


def retrieve(work: Work, params: Params, intent_id: str) -> Thing:
    params.accept("client_secret")
    params.done()
    return work.find(KIND, intent_id)


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, URL, "customer")


def searched(work: Work, params: Params) -> Thing:
    return found(work, KIND, params, f"{URL}/search")


def _confirm(
    work: Work, intent: Thing, method: Thing | None, return_url: str | None, *, is_away: bool
) -> Thing:
    if method is None and intent["payment_method"]:
        method = work.find(payment_methods.KIND, intent["payment_method"])
    if method is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
            public(intent),
        )
    _check_return(intent, return_url)
    intent["_return_url"] = return_url or intent["_return_url"]
    presence: charging.Presence = "off_session" if is_away else "on_session"
    if intent["_is_authenticated"]:
        presence = "authenticated"
    decline = charging.attempt(work, intent, method, presence)
    if decline is not None:
        raise charging.refusal(intent, decline)
    return intent


def _check_return(intent: Thing, return_url: str | None) -> None:
    automatic = intent["automatic_payment_methods"]
    redirects = bool(automatic) and automatic["allow_redirects"] == "always"
    if redirects and not (return_url or intent["_return_url"]):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents "
            "and Payment Intents.",
            "return_url",
        )


def _waiting(intent: Thing, method: Thing | None) -> Thing:
    if method is not None:
        intent["payment_method"] = method["id"]
        intent["status"] = "requires_confirmation"
    return intent


def _method(work: Work, params: Params, intent: Thing) -> Thing | None:
    """The method this request names, checked against the intent's customer and types."""
    reference, described = params.text("payment_method"), params.nested("payment_method_data")
    if reference:
        method = payment_methods.find(work, reference, status=400)
    elif described is not None:
        method = work.add(payment_methods.read(work, described))
    else:
        return None
    check_owner(method, intent)
    if method["type"] not in intent["payment_method_types"]:
        allowed = ", ".join(intent["payment_method_types"])
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. "
            f"Please attach a PaymentMethod of one of the following types: {allowed}.",
            "payment_method",
        )
    return method


def check_owner(method: Thing, intent: Thing) -> None:
    """Refuse a method of another customer, or one that was used up."""
    owner = method["customer"]
    if owner is not None and owner != intent["customer"]:
        raise invalid(
            "The payment method you provided is attached to a customer so for security purposes "
            "you must provide the customer in the request."
            if intent["customer"] is None
            else f"The payment method {method['id']} does not belong to the customer "
            f"{intent['customer']}.",
            "payment_method",
        )
    if owner is None and method.get("_is_used_up"):
        raise refused(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again. To use a PaymentMethod multiple "
            "times, you must attach it to a Customer first."
        )


def _wrong_state(intent: Thing, verb: str) -> Exception:
    allowed = ", ".join(OPEN)
    return unexpected_state(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only "
        f"a PaymentIntent with one of the following statuses allows it: {allowed}.",
        public(intent),
    )


def _read(work: Work, params: Params, intent: Thing) -> None:
    customer = params.text("customer")
    if customer is not None:
        if customer:
            customers.living(work, customer, "customer", 400)
        intent["customer"] = customer or None
    for name in DESCRIBING:
        value = params.text(name)
        if value is not None:
            intent[name] = value or None
    intent["metadata"] = params.metadata(intent["metadata"])
    _read_usage(params, intent)
    params.accept(*CARRIED, "transfer_group")


def _read_usage(params: Params, intent: Thing) -> None:
    usage = params.choice("setup_future_usage", ("on_session", "off_session"))
    intent["setup_future_usage"] = usage or intent["setup_future_usage"]


def _read_manner(params: Params, intent: Thing) -> None:
    """What only a creation may say: which methods, and who confirms."""
    _read_types(params, intent)
    capture = params.choice("capture_method", ("automatic", "automatic_async"))
    intent["capture_method"] = capture or intent["capture_method"]
    manner = params.choice("confirmation_method", ("automatic", "manual"))
    intent["confirmation_method"] = manner or "automatic"


def _read_types(params: Params, intent: Thing) -> None:
    """Automatic methods unless the request lists types, as since API version 2023-08-16."""
    listed_types = named_types(params)
    automatic = params.nested("automatic_payment_methods")
    if listed_types and automatic:
        raise invalid(
            "You may only specify one of these parameters: automatic_payment_methods, "
            "payment_method_types."
        )
    is_enabled = automatic.boolean("enabled") if automatic else not listed_types
    redirects = automatic.choice("allow_redirects", ("always", "never")) if automatic else None
    if is_enabled:
        intent["automatic_payment_methods"] = {
            "allow_redirects": redirects or "always",
            "enabled": True,
        }
    intent["payment_method_types"] = listed_types or list(TYPES)


def named_types(params: Params) -> list[str]:
    """The types a request lists, under the present name or the one it replaced.

    Raises:
        Refusal: a type that no test method has.
    """
    field = "allowed_payment_method_types"
    names = params.texts(field) + params.texts("payment_method_types")
    unknown = [name for name in names if name not in TYPES]
    if unknown:
        raise invalid(f"The payment method type `{unknown[0]}` is invalid.", field)
    return names


def blank(work: Work, amount: int, code: str) -> Thing:
    """A new intent that waits for a payment method."""
    intent_id = work.ids.next("pi_")
    return {
        "id": intent_id,
        "object": KIND,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": work.ids.next(f"{intent_id}_secret_"),
        "confirmation_method": "automatic",
        "created": work.now,
        "currency": code,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_is_authenticated": False,
        "_refuses_action": False,
        "_return_url": None,
        "_session": None,
    }
