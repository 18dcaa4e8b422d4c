"""Refunds: money back to the payer, never more than is left of the charge.

A refund may fail after it succeeded, as some test cards show: then the money returns to the
merchant and the charge counts as less refunded.
"""

from bursar_sandbox.core import lists
from bursar_sandbox.core.cards import RefundPlay
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, refused, unexpected_state
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import Work, public
from bursar_sandbox.resources import balance, payment_methods

KIND = "refund"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
SETTLES_AFTER_S = 10
SETTLE_ACT = "settle_refund"
FAIL_ACT = "fail_refund"


def create(work: Work, params: Params) -> Thing:
    """Refund a charge, or the charge of an intent, in whole or in part."""
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    amount = params.integer("amount")
    reason = params.choice("reason", REASONS)
    metadata = params.metadata()
    params.accept("instructions_email")
    params.done()
    charge = _charge(work, charge_id, intent_id)
    refund = work.add(_blank(work, charge, _amount(charge, amount)))
    refund |= {"reason": reason, "metadata": metadata}
    _pay(work, refund)
    return refund


def _charge(work: Work, charge_id: str | None, intent_id: str | None) -> Thing:
    if not charge_id and not intent_id:
        raise invalid("One of the following params should be provided: payment_intent or charge.")
    if intent_id:
        intent = work.find("payment_intent", intent_id, "payment_intent")
        if intent["status"] != "succeeded":
            raise unexpected_state(
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
                public(intent),
            )
        if charge_id and charge_id != intent["latest_charge"]:
            raise invalid("The charge does not belong to the payment_intent.", "charge")
        charge_id = intent["latest_charge"]
    charge = work.find("charge", charge_id or "", "charge")
    if charge["status"] != "succeeded":
        raise refused(f"Charge {charge['id']} has not succeeded and cannot be refunded.")
    return charge


def _amount(charge: Thing, amount: int | None) -> int:
    left: int = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    if charge["disputed"]:
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            "charge_disputed",
        )
    if amount is not None and amount < 1:
        raise invalid("Invalid positive integer", "amount", "parameter_invalid_integer")
    if amount is not None and amount > left:
        raise refused(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            None,
            "amount",
        )
    return left if amount is None else amount


def _pay(work: Work, refund: Thing) -> None:
    charge = work.edit("charge", refund["charge"])
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    moved = balance.book(work, refund, kind=KIND, amount=-refund["amount"])
    refund["balance_transaction"] = moved["id"]
    method = work.get(payment_methods.KIND, charge["payment_method"])
    play = payment_methods.play_of(method).refund if method else RefundPlay.SUCCEEDS
    if play is RefundPlay.SUCCEEDS_LATER:
        refund["status"] = "pending"
        work.schedule(SETTLE_ACT, refund["id"], after_s=SETTLES_AFTER_S)
    elif play is RefundPlay.FAILS_LATER:
        work.schedule(FAIL_ACT, refund["id"], after_s=SETTLES_AFTER_S)
    work.emit("refund.created", refund)
    work.emit("charge.refunded", charge)


def settle(work: Work, refund_id: str) -> None:
    """A pending refund reached the payer."""
    refund = work.edit(KIND, refund_id)
    refund["status"] = "succeeded"
    work.emit("refund.updated", refund)
    work.emit("charge.refund.updated", refund)


def fail(work: Work, refund_id: str) -> None:
    """The bank sent a refund back."""
    refund = work.edit(KIND, refund_id)
    charge = work.edit("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    moved = balance.book(work, refund, kind="refund_failure", amount=refund["amount"])
    refund |= {
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": moved["id"],
    }
    work.emit("refund.failed", refund)
    work.emit("refund.updated", refund)
    work.emit("charge.refund.updated", refund)


def update(work: Work, params: Params, refund_id: str) -> Thing:
    work.find(KIND, refund_id)
    refund = work.edit(KIND, refund_id)
    refund["metadata"] = params.metadata(refund["metadata"])
    params.done()
    work.emit("refund.updated", refund)
    return refund


def retrieve(work: Work, params: Params, refund_id: str) -> Thing:
    params.done()
    return work.find(KIND, refund_id)


def listed(work: Work, params: Params) -> Thing:
    return lists.listing(work, KIND, params, "/v1/refunds", "charge", "payment_intent")


def of_charge(work: Work, params: Params, charge_id: str) -> Thing:
    work.find("charge", charge_id)
    rows = [row for row in work.all(KIND) if row["charge"] == charge_id]
    return lists.page(rows, params, f"/v1/charges/{charge_id}/refunds", KIND)


def _blank(work: Work, charge: Thing, amount: int) -> Thing:
    kind = charge["payment_method_details"]["type"]
    return {
        "id": work.ids.next("re_"),
        "object": KIND,
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": work.now,
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"type": kind, kind: {"type": "refund"} if kind == "card" else {}},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
