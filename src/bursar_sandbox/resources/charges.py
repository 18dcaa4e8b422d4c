"""Charges: one row for every attempt that reached the card network, taken or refused."""

from bursar_sandbox.core import lists
from bursar_sandbox.core.cards import Decline
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.search import found
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work
from bursar_sandbox.resources import balance

KIND = "charge"
BANK_SHARED = (
    "account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number",
)  # fmt: skip
CARD_SHARED = (
    "brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4",
    "regulated_status", "wallet",
)  # fmt: skip


def retrieve(work: Work, params: Params, charge_id: str) -> Thing:
    params.done()
    return work.find(KIND, charge_id)


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, "/v1/charges", "customer", "payment_intent")


def searched(work: Work, params: Params) -> Thing:
    return found(work, KIND, params, "/v1/charges/search")


def update(work: Work, params: Params, charge_id: str) -> Thing:
    work.find(KIND, charge_id)
    charge = work.edit(KIND, charge_id)
    charge["metadata"] = params.metadata(charge["metadata"])
    description = params.text("description")
    if description is not None:
        charge["description"] = description or None
    params.done()
    work.emit("charge.updated", charge)
    return charge


def refused(work: Work, intent: Thing, method: Thing, decline: Decline) -> Thing:
    """Book an attempt that the network refused."""
    charge = _blank(work, intent, method)
    _mark_refused(charge, decline)
    work.add(charge)
    work.emit("charge.failed", charge)
    return charge


def pending(work: Work, intent: Thing, method: Thing) -> Thing:
    """Book an attempt whose outcome comes later."""
    charge = work.add(_blank(work, intent, method))
    work.emit("charge.pending", charge)
    return charge


def taken(work: Work, intent: Thing, method: Thing) -> Thing:
    """Book an attempt that moved money."""
    charge = work.add(_blank(work, intent, method))
    _take(work, charge)
    return charge


def settle(work: Work, charge_id: str, decline: Decline | None) -> Thing:
    """The late outcome of a pending charge."""
    charge = work.edit(KIND, charge_id)
    if decline is None:
        _take(work, charge)
    else:
        _mark_refused(charge, decline)
        work.emit("charge.failed", charge)
    return charge


def _take(work: Work, charge: Thing) -> None:
    charge |= {"status": "succeeded", "paid": True, "captured": True}
    charge["amount_captured"] = charge["amount"]
    fee = balance.card_fee(charge["amount"])
    moved = balance.book(work, charge, kind="charge", amount=charge["amount"], fee=fee)
    charge["balance_transaction"] = moved["id"]
    work.emit("charge.succeeded", charge)


def _mark_refused(charge: Thing, decline: Decline) -> None:
    charge |= {
        "status": "failed",
        "paid": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
    }
    is_blocked = decline.decline_code == "fraudulent"
    charge["outcome"] = {
        **charge["outcome"],
        "network_status": "not_sent_to_network" if is_blocked else "declined_by_network",
        "reason": decline.decline_code or decline.code,
        "risk_level": "highest" if is_blocked else "normal",
        "seller_message": "The bank did not return any further details with this decline.",
        "type": "blocked" if is_blocked else "issuer_declined",
    }


def _blank(work: Work, intent: Thing, method: Thing) -> Thing:
    kind = method["type"]
    return {
        "id": work.ids.next("py_" if kind == "us_bank_account" else "ch_"),
        "object": KIND,
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": intent["statement_descriptor"] or "SANDBOX",
        "captured": False,
        "created": work.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"type": kind, kind: _details(intent, method)},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": None,
    }


def _details(intent: Thing, method: Thing) -> Thing:
    face = method[method["type"]]
    if method["type"] != "card":
        return {name: face[name] for name in BANK_SHARED}
    return {
        **{name: face[name] for name in CARD_SHARED},
        "amount_authorized": intent["amount"],
        "authorization_code": None,
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": face["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "three_d_secure": None,
        "transaction_link_id": None,
    }
