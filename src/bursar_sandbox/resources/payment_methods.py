"""Payment methods: test cards and test bank accounts, single-use until a customer owns them.

A test token such as `pm_card_visa` makes a fresh method each time it is used. The full number never
enters the books: a method remembers the token that says how its card plays.
"""

import hashlib
from datetime import UTC, datetime

from bursar_sandbox.core import cards, lists
from bursar_sandbox.core.cards import Play, TestCard
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, no_such, refused
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work

KIND = "payment_method"
TYPES = ("card", "us_bank_account")
EXPIRY = (12, 2034)
CENTURY = 2000
SHORT_YEARS = 100
MONTHS = 12
YEARS_AHEAD_MAX = 50
CVC_DIGITS = (3, 4)


def create(work: Work, params: Params) -> Thing:
    """A method from a card's number, a card token, or a test bank account."""
    method = read(work, params)
    params.done()
    return work.add(method)


def read(work: Work, params: Params) -> Thing:
    """Build the method that a request describes, without booking it.

    Raises:
        Refusal: an unknown type, or a card that no test table knows.
    """
    kind = params.choice("type", TYPES)
    if kind is None:
        raise invalid("Missing required param: type.", params.label("type"), "parameter_missing")
    billing = params.hash("billing_details")
    method = _bank(work, params) if kind == "us_bank_account" else _card(work, params)
    for name in ("email", "name", "phone"):
        method["billing_details"][name] = billing.text(name) or None
    billing.accept("address", "tax_id")
    params.accept("allow_redisplay")
    method["metadata"] = params.metadata()
    return method


def _card(work: Work, params: Params) -> Thing:
    hashed = params.hash("card")
    token = hashed.text("token")
    if token:
        card = cards.by_token(token)
        if card is None:
            raise no_such("token", token, hashed.label("token"), 400)
        return made(work, card)
    number = hashed.required("number").replace(" ", "")
    month, year = hashed.integer("exp_month"), hashed.integer("exp_year")
    cvc = hashed.text("cvc")
    return typed(work, number, (month, year), cvc)


def typed(work: Work, number: str, expiry: tuple[int | None, int | None], cvc: str | None) -> Thing:
    """A method from what a person typed: number, expiry, security code.

    Raises:
        Refusal: a `card_error` that names what is wrong.
    """
    card = cards.by_number(number)
    checked = _checked_expiry(work, *expiry)
    if cvc and not (cvc.isascii() and cvc.isdigit() and len(cvc) in CVC_DIGITS):
        wrong = cards.Decline("invalid_cvc", None, "Your card's security code is invalid.")
        raise cards.card_error(wrong, "cvc")
    return made(work, card, checked)


def _checked_expiry(work: Work, month: int | None, year: int | None) -> tuple[int, int]:
    today = datetime.fromtimestamp(work.now, UTC)
    full = (year or 0) + (CENTURY if 0 <= (year or 0) < SHORT_YEARS else 0)
    if month is None or not 1 <= month <= MONTHS:
        wrong = "Your card's expiration month is invalid."
        raise cards.card_error(cards.Decline("invalid_expiry_month", None, wrong), "exp_month")
    if not (today.year, today.month) <= (full, month) or full > today.year + YEARS_AHEAD_MAX:
        wrong = "Your card's expiration year is invalid."
        raise cards.card_error(cards.Decline("invalid_expiry_year", None, wrong), "exp_year")
    return month, full


def _bank(work: Work, params: Params) -> Thing:
    account = params.hash("us_bank_account")
    number = account.required("account_number")
    account.accept("routing_number", "account_holder_type", "account_type")
    card = cards.BY_NUMBER.get(number)
    if card is None or card.kind != "us_bank_account":
        raise invalid(
            "You must use a test bank account number in test mode.",
            account.label("account_number"),
            "account_number_invalid",
        )
    return made(work, card)


def retrieve(work: Work, params: Params, method_id: str) -> Thing:
    params.done()
    return find(work, method_id)


def find(work: Work, reference: str, param: str = "payment_method", status: int = 404) -> Thing:
    """The booked method of an id, or a fresh one for a test token.

    Raises:
        Refusal: neither.
    """
    method = work.get(KIND, reference)
    if method is not None:
        return method
    card = cards.by_token(reference)
    if card is None:
        raise no_such(KIND, reference, param, status)
    return work.add(made(work, card))


def update(work: Work, params: Params, method_id: str) -> Thing:
    work.find(KIND, method_id)
    method = work.edit(KIND, method_id)
    method["metadata"] = params.metadata(method["metadata"])
    billing = params.hash("billing_details")
    for name in ("email", "name", "phone"):
        value = billing.text(name)
        if value is not None:
            method["billing_details"][name] = value or None
    billing.accept("address")
    params.done()
    work.emit("payment_method.updated", method)
    return method


def attach(work: Work, params: Params, method_id: str) -> Thing:
    customer_id = params.required("customer")
    params.done()
    customer = work.find("customer", customer_id, "customer", 400)
    if customer.get("_is_deleted"):
        raise no_such("customer", customer_id, "customer", 400)
    return attach_to(work, method_id, customer_id)


def attach_to(work: Work, reference: str, customer_id: str) -> Thing:
    """Give a method to a customer; a card that declines declines here already.

    Raises:
        Refusal: unknown, owned by somebody, used up, or declined.
    """
    method = find(work, reference)
    if method["customer"] == customer_id:
        return method
    if method["customer"] is not None:
        raise refused(
            "The payment method you provided has already been attached to a customer.",
            "payment_method_unexpected_state",
        )
    if method.get("_is_used_up"):
        raise refused(
            "This PaymentMethod was previously used without being attached to a Customer or was "
            "detached from a Customer, and may not be used again."
        )
    play = play_of(method)
    if play.decline and play.declines_on_attach and play.settles_after_s is None:
        raise cards.card_error(play.decline)
    owned = work.edit(KIND, method["id"])
    owned["customer"] = customer_id
    work.emit("payment_method.attached", owned)
    return owned


def detach(work: Work, params: Params, method_id: str) -> Thing:
    params.done()
    if work.find(KIND, method_id)["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is "
            "impossible."
        )
    return detach_from(work, method_id)


def detach_from(work: Work, method_id: str) -> Thing:
    """Take a method from its customer for good."""
    method = work.edit(KIND, method_id)
    previous = {"customer": method["customer"]}
    settings = work.edit("customer", method["customer"])["invoice_settings"]
    if settings["default_payment_method"] == method_id:
        settings["default_payment_method"] = None
    method["customer"] = None
    method["_is_used_up"] = True
    work.emit("payment_method.detached", method, previous)
    return method


def listed(work: Work, params: Params) -> Thing:
    customer_id = params.text("customer")
    if not customer_id:
        params.choice("type", TYPES)
        return lists.page([], params, "/v1/payment_methods", KIND)
    work.find("customer", customer_id, "customer", 400)
    return of_customer(work, params, customer_id, "/v1/payment_methods")


def of_customer(work: Work, params: Params, customer_id: str, url: str) -> Thing:
    kind = params.choice("type", TYPES)
    params.accept("allow_redisplay")
    rows = [
        row
        for row in work.all(KIND)
        if row["customer"] == customer_id and kind in {None, row["type"]}
    ]
    return lists.page(rows, params, url, KIND)


def play_of(method: Thing) -> Play:
    """How the method's test card behaves."""
    card = cards.by_token(method["_token"])
    return card.play if card else Play()


def made(work: Work, card: TestCard, expiry: tuple[int, int] = EXPIRY) -> Thing:
    """A method of this test card; whoever asked books it."""
    method: Thing = {
        "id": work.ids.next("pm_"),
        "object": KIND,
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": dict.fromkeys(
                ("city", "country", "line1", "line2", "postal_code", "state"), None
            ),
            "email": None,
            "name": None,
            "phone": None,
            "tax_id": None,
        },
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": card.kind,
        "_token": card.token,
    }
    method[card.kind] = _bank_face(card) if card.kind != "card" else _card_face(card, expiry)
    return method


def _card_face(card: TestCard, expiry: tuple[int, int]) -> Thing:
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "fail" if card.play.decline is cards.WRONG_CVC else "pass",
        },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": fingerprint(card),
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _bank_face(card: TestCard) -> Thing:
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": fingerprint(card),
        "last4": card.number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }


def fingerprint(card: TestCard) -> str:
    """The same for the same number, as the published one is."""
    return hashlib.blake2b(card.number.encode(), digest_size=8).hexdigest()
