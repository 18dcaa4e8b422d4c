"""Checkout sessions: a hosted page where a customer pays once.

The payment intent is made when the customer first pays, not when the session opens, as since API
version 2022-08-01. A session ends complete or expired and never goes back.
"""

from bursar_sandbox.core import amounts, lists
from bursar_sandbox.core.cards import Decline
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, missing, refused
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work
from bursar_sandbox.resources import charging, customers, payment_intents

KIND = "checkout.session"
URL = "/v1/checkout/sessions"
EXPIRE_ACT = "expire_session"
HOUR_S = 3_600
OPEN_FOR_S = 24 * HOUR_S
OPEN_FOR_MIN_S = HOUR_S // 2
ITEMS_MAX = 100
QUANTITY_MAX = 999_999
DESCRIBING = payment_intents.DESCRIBING
# Published fields that no session of ours ever sets, or not at first.
UNSET = (
    "after_expiration", "allow_promotion_codes", "amount_subtotal", "amount_total",
    "billing_address_collection", "cancel_url", "client_reference_id", "client_secret",
    "collected_information", "consent", "consent_collection", "currency", "currency_conversion",
    "customer", "customer_account", "customer_creation", "customer_details", "customer_email",
    "integration_identifier", "invoice", "invoice_creation", "locale", "managed_payments",
    "origin_context", "payment_intent", "payment_link", "payment_method_configuration_details",
    "permissions", "recovered_from", "saved_payment_method_options", "setup_intent",
    "shipping_address_collection", "shipping_cost", "submit_type", "subscription", "success_url",
    "wallet_options",
)  # fmt: skip
CARRIED = ("locale", "submit_type", "billing_address_collection", "payment_method_options")


def create(work: Work, params: Params) -> Thing:
    """Open a hosted page for one payment."""
    if params.choice("mode", ("payment",)) is None:
        raise missing("mode")
    params.choice("ui_mode", ("hosted_page", "hosted"))
    session = _blank(work)
    _read_addresses(work, params, session)
    _read_customer(work, params, session)
    session["_line_items"] = _line_items(work, params)
    session["_intent"] = _read_intent(params, session)
    _sum(session)
    session["metadata"] = params.metadata()
    session["client_reference_id"] = params.text("client_reference_id") or None
    session["payment_method_types"] = payment_intents.named_types(params) or ["card"]
    params.accept(
        *CARRIED, "adaptive_pricing", "automatic_tax", "allow_promotion_codes", "customer_update"
    )
    params.done()
    work.add(session)
    work.schedule(EXPIRE_ACT, session["id"], after_s=session["expires_at"] - work.now)
    return session


def _read_addresses(work: Work, params: Params, session: Thing) -> None:
    session["success_url"] = params.url("success_url")
    session["cancel_url"] = params.url("cancel_url")
    if session["success_url"] is None:
        raise missing("success_url")
    expires_at = params.integer("expires_at")
    if expires_at is not None:
        if not OPEN_FOR_MIN_S <= expires_at - work.now <= OPEN_FOR_S:
            raise invalid(
                "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours "
                "from Checkout Session creation.",
                "expires_at",
            )
        session["expires_at"] = expires_at


def _read_customer(work: Work, params: Params, session: Thing) -> None:
    customer, email = params.text("customer"), params.text("customer_email")
    creation = params.choice("customer_creation", ("always", "if_required"))
    if customer and email:
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.", "customer"
        )
    if customer:
        living = customers.living(work, customer, "customer", 400)
        session["customer"] = living["id"]
        email = living["email"]
    else:
        session["customer_creation"] = creation or "if_required"
        session["customer_email"] = email or None
    if email:
        session["customer_details"] = {**_details(), "email": email}


def _read_intent(params: Params, session: Thing) -> Thing:
    """What the intent will carry once the customer pays."""
    hashed = params.hash("payment_intent_data")
    carried: Thing = {name: hashed.text(name) or None for name in DESCRIBING}
    carried["metadata"] = hashed.metadata()
    usages = ("on_session", "off_session")
    carried["setup_future_usage"] = hashed.choice("setup_future_usage", usages)
    carried["capture_method"] = (
        hashed.choice("capture_method", ("automatic", "automatic_async")) or "automatic_async"
    )
    carried["customer"] = session["customer"]
    return carried


def _line_items(work: Work, params: Params) -> list[Thing]:
    items = params.items("line_items")
    if not items:
        raise missing("line_items")
    if len(items) > ITEMS_MAX:
        raise invalid(f"A session can have at most {ITEMS_MAX} line items.", "line_items")
    read = [_line_item(work, item) for item in items]
    if len({item["currency"] for item in read}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    return read


def _line_item(work: Work, item: Params) -> Thing:
    price = item.hash("price_data")
    code = amounts.currency(price)
    unit = price.integer("unit_amount")
    product = price.hash("product_data")
    name = product.required("name")
    product.accept("description", "images", "metadata", "tax_code")
    price.accept("tax_behavior")
    quantity = item.integer("quantity")
    if unit is None:
        raise missing(price.label("unit_amount"))
    if unit < 0 or (quantity is not None and not 0 < quantity <= QUANTITY_MAX):
        raise invalid("Invalid non-negative integer", item.label("quantity"))
    total = unit * (quantity or 1)
    return {
        "id": work.ids.next("li_"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": code,
        "description": name,
        "price": None,
        "quantity": quantity or 1,
    }


def _sum(session: Thing) -> None:
    items = session["_line_items"]
    total = sum(item["amount_total"] for item in items)
    amounts.check(total, items[0]["currency"], "line_items")
    session |= {"currency": items[0]["currency"], "amount_total": total, "amount_subtotal": total}


def expire(work: Work, params: Params, session_id: str) -> Thing:
    params.done()
    session = work.edit(KIND, work.find(KIND, session_id)["id"])
    if session["status"] != "open":
        raise refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of {session['status']}."
        )
    return _expire(work, session)


def expire_due(work: Work, session_id: str) -> None:
    """Nobody paid in time."""
    session = work.edit(KIND, session_id)
    if session["status"] == "open":
        _expire(work, session)


def _expire(work: Work, session: Thing) -> Thing:
    session |= {"status": "expired", "url": None}
    work.unschedule(EXPIRE_ACT, session["id"])
    intent = session["payment_intent"]
    if intent and work.find("payment_intent", intent)["status"] in payment_intents.OPEN:
        payment_intents.closed(work, work.edit("payment_intent", intent), "automatic")
    work.emit("checkout.session.expired", session)
    return session


def pay(work: Work, session_id: str, method: Thing) -> tuple[Thing, Decline | None]:
    """The customer pays with a method; the intent, and the decline if there was one."""
    session = work.edit(KIND, session_id)
    work.add(method)
    intent = _intent(work, session)
    decline = charging.attempt(work, intent, method, "on_session")
    follow(work, intent)
    return intent, decline


def _intent(work: Work, session: Thing) -> Thing:
    if session["payment_intent"]:
        return work.edit("payment_intent", session["payment_intent"])
    intent = payment_intents.blank(work, session["amount_total"], session["currency"])
    intent |= session["_intent"]
    intent["payment_method_types"] = session["payment_method_types"]
    intent["_session"] = session["id"]
    intent["_return_url"] = f"{work.public_url}/checkout/{session['id']}"
    work.add(intent)
    session["payment_intent"] = intent["id"]
    work.emit("payment_intent.created", intent)
    return intent


def settle_due(work: Work, intent_id: str) -> None:
    """A processing intent has its outcome; its session, if it has one, learns it too."""
    follow(work, charging.settle(work, intent_id))


def follow(work: Work, intent: Thing) -> None:
    """Bring the session in line with its intent's new status, and tell of it."""
    session_id = intent.get("_session")
    if not session_id:
        return
    session = work.edit(KIND, session_id)
    was_open = session["status"] == "open"
    has_money = intent["status"] == "succeeded"
    if has_money:
        session["payment_status"] = "paid"
    if was_open and (has_money or intent["status"] == "processing"):
        session |= {"status": "complete", "url": None}
        work.unschedule(EXPIRE_ACT, session_id)
        work.emit("checkout.session.completed", session)
    elif not was_open and has_money:
        work.emit("checkout.session.async_payment_succeeded", session)
    elif not was_open and intent["status"] == "requires_payment_method":
        work.emit("checkout.session.async_payment_failed", session)


def retrieve(work: Work, params: Params, session_id: str) -> Thing:
    params.done()
    return work.find(KIND, session_id)


def line_items(work: Work, params: Params, session_id: str) -> Thing:
    session = work.find(KIND, session_id)
    rows = session["_line_items"][::-1]
    return lists.page(rows, params, f"{URL}/{session_id}/line_items", "item")


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, URL, "customer", "payment_intent", "status")


def update(work: Work, params: Params, session_id: str) -> Thing:
    session = work.edit(KIND, work.find(KIND, session_id)["id"])
    session["metadata"] = params.metadata(session["metadata"])
    params.done()
    return session


def _details() -> Thing:
    return {
        "address": None,
        "business_name": None,
        "email": None,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def _blank(work: Work) -> Thing:
    session_id = work.ids.next("cs_test_a1", 56)
    return dict.fromkeys(UNSET) | {
        "id": session_id,
        "object": KIND,
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": work.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        "discounts": [],
        "expires_at": work.now + OPEN_FOR_S,
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{work.public_url}/checkout/{session_id}",
    }
