"""Disputes: a cardholder's bank takes money back, and gives it again if the merchant wins.

Opened by a test card or on request; closed won or lost, and reopened, on request. An inquiry moves
no money.
"""

from bursar_sandbox.core import lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import refused
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public
from bursar_sandbox.resources import balance

KIND = "dispute"
DAY_S = 86_400
ANSWER_WITHIN_S = 7 * DAY_S
OUTCOMES = ("won", "lost")
REASONS = (
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
CLOSED = ("won", "lost", "warning_closed")
EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy",
    "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
    "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
    "duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id",
    "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address",
    "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
    "uncategorized_file", "uncategorized_text",
)  # fmt: skip


def open_for(work: Work, charge_id: str, reason: str, *, is_inquiry: bool = False) -> Thing:
    """Dispute what is left of a charge."""
    charge = work.edit("charge", charge_id)
    amount = charge["amount"] - charge["amount_refunded"]
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise refused(f"Charge {charge_id} cannot be disputed.")
    charge["disputed"] = True
    dispute = work.add(_blank(work, charge, amount or charge["amount"], reason))
    if is_inquiry:
        dispute["status"] = "warning_needs_response"
        dispute["is_charge_refundable"] = True
        dispute["payment_method_details"]["card"]["case_type"] = "inquiry"
    work.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        _withdraw(work, dispute)
    return dispute


def close(work: Work, dispute_id: str, outcome: str) -> Thing:
    """The bank decides."""
    dispute = _open(work, dispute_id)
    is_inquiry = dispute["status"].startswith("warning")
    dispute["status"] = "warning_closed" if is_inquiry else outcome
    if outcome == "won" and not is_inquiry:
        _reinstate(work, dispute)
    work.emit("charge.dispute.closed", dispute)
    return dispute


def reopen(work: Work, dispute_id: str) -> Thing:
    """The bank changes its mind: the dispute needs an answer again."""
    dispute = work.edit(KIND, work.find(KIND, dispute_id)["id"])
    if dispute["status"] not in CLOSED:
        raise refused(f"Dispute {dispute_id} is open already.")
    was_won = dispute["status"] == "won"
    dispute["status"] = "needs_response"
    work.emit("charge.dispute.updated", dispute)
    if was_won:
        _withdraw(work, dispute)
    return dispute


def update(work: Work, params: Params, dispute_id: str) -> Thing:
    """Evidence. `winning_evidence` and `losing_evidence` as text decide, as they do at Stripe."""
    given = params.hash("evidence")
    values = {name: value for name in EVIDENCE if (value := given.text(name)) is not None}
    submits = params.boolean("submit")
    work.find(KIND, dispute_id)
    dispute = work.edit(KIND, dispute_id)
    dispute["metadata"] = params.metadata(dispute["metadata"])
    params.done()
    dispute["evidence"] |= values
    dispute["evidence_details"]["has_evidence"] = any(dispute["evidence"].values())
    if submits is False:
        work.emit("charge.dispute.updated", dispute)
        return dispute
    _open(work, dispute_id)
    dispute["evidence_details"]["submission_count"] += 1
    text = dispute["evidence"]["uncategorized_text"]
    if text in {"winning_evidence", "losing_evidence"}:
        return close(work, dispute_id, "won" if text == "winning_evidence" else "lost")
    warning = "warning_" if dispute["status"].startswith("warning") else ""
    dispute["status"] = f"{warning}under_review"
    work.emit("charge.dispute.updated", dispute)
    return dispute


def give_up(work: Work, params: Params, dispute_id: str) -> Thing:
    """The merchant accepts the dispute as lost."""
    params.done()
    return close(work, dispute_id, "lost")


def retrieve(work: Work, params: Params, dispute_id: str) -> Thing:
    params.done()
    return work.find(KIND, dispute_id)


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, "/v1/disputes", "charge", "payment_intent")


def _open(work: Work, dispute_id: str) -> Thing:
    dispute = work.edit(KIND, work.find(KIND, dispute_id)["id"])
    if dispute["status"] in CLOSED:
        raise refused(f"This dispute is already closed with the status {dispute['status']}.")
    return dispute


def _withdraw(work: Work, dispute: Thing) -> None:
    fee = balance.DISPUTE_FEE
    moved = balance.book(work, dispute, kind="adjustment", amount=-dispute["amount"], fee=fee)
    dispute["balance_transactions"].append(public(moved))
    work.emit("charge.dispute.funds_withdrawn", dispute)


def _reinstate(work: Work, dispute: Thing) -> None:
    moved = balance.book(work, dispute, kind="adjustment", amount=dispute["amount"])
    dispute["balance_transactions"].append(public(moved))
    work.emit("charge.dispute.funds_reinstated", dispute)


def _blank(work: Work, charge: Thing, amount: int, reason: str) -> Thing:
    brand = charge["payment_method_details"].get("card", {}).get("brand", "visa")
    return {
        "id": work.ids.next("du_"),
        "object": KIND,
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": work.now + ANSWER_WITHIN_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": brand,
                "case_type": "chargeback",
                "network": brand,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "needs_response",
    }
