"""The merchant's money at the processor: balance transactions, fees, the balance and payouts.

Funds become available two days after they move and leave by a payout at the next midnight (UTC).
Amounts are integers in the smallest unit; the fee is 2.9 % rounded half up, plus 30.
"""

from collections import defaultdict

from bursar_sandbox.core import lists
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.wire import Thing
from bursar_sandbox.core.work import DUE, Work

KIND = "balance_transaction"
PAYOUT = "payout"
DAY_S = 86_400
AVAILABLE_AFTER_S = 2 * DAY_S
FEE_FIXED = 30
FEE_PER_MILLE = 29
MILLE = 1_000
DISPUTE_FEE = 1_500
PAYOUT_ACT = "pay_out"
PAID_ACT = "land_payout"


def card_fee(amount: int) -> int:
    """What the processor keeps of a charge, never more than the charge."""
    return min(amount, (amount * FEE_PER_MILLE + MILLE // 2) // MILLE + FEE_FIXED)


def book(work: Work, source: Thing, *, kind: str, amount: int, fee: int = 0) -> Thing:
    """One movement of the balance, caused by `source`."""
    available_on = work.now if source["object"] == PAYOUT else work.now + AVAILABLE_AFTER_S
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": source["currency"],
            "description": "Stripe processing fees" if kind == "charge" else "Dispute fee",
            "type": "stripe_fee",
        }
    ]
    transaction: Thing = {
        "id": work.ids.next("txn_"),
        "object": KIND,
        "amount": amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": work.now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if kind == "adjustment" else kind,
        "source": source["id"],
        "status": "available" if available_on <= work.now else "pending",
        "type": kind,
        "_payout": source["id"] if source["object"] == PAYOUT else None,
    }
    work.add(transaction)
    if source["object"] != PAYOUT:
        _plan_payout(work, source["currency"])
    return transaction


def _plan_payout(work: Work, code: str) -> None:
    if work.books.get(DUE, f"{PAYOUT_ACT}:{code}") is None:
        until = AVAILABLE_AFTER_S + DAY_S - (work.now % DAY_S)
        work.schedule(PAYOUT_ACT, code, after_s=until)


def pay_out(work: Work, code: str) -> None:
    """Send everything available in one currency to the merchant's bank."""
    unpaid = [row for row in work.all(KIND) if row["currency"] == code and row["_payout"] is None]
    ready = [row for row in unpaid if row["available_on"] <= work.now]
    total = sum(row["net"] for row in ready)
    if total > 0:
        payout = work.add(_payout(work, code, total))
        payout["balance_transaction"] = book(work, payout, kind=PAYOUT, amount=-total)["id"]
        for row in ready:
            work.edit(KIND, row["id"])["_payout"] = payout["id"]
        work.emit("payout.created", payout)
        work.schedule(PAID_ACT, payout["id"], after_s=DAY_S)
    if len(ready) < len(unpaid):
        _plan_payout(work, code)


def land_payout(work: Work, payout_id: str) -> None:
    payout = work.edit(PAYOUT, payout_id)
    payout["status"] = "paid"
    work.emit("payout.paid", payout)


def listed(work: Work, params: Params) -> Thing:
    payout_id = params.text("payout")
    within = lists.created_range(params)
    wanted = {name: params.text(name) for name in ("currency", "source", "type")}
    rows = [
        _seen(work, row)
        for row in work.all(KIND)
        if all(value is None or row[name] == value for name, value in wanted.items())
        and within[0] <= row["created"] <= within[1]
        and payout_id in {None, row["_payout"]}
    ]
    return lists.page(rows, params, "/v1/balance_transactions", KIND)


def retrieve(work: Work, params: Params, transaction_id: str) -> Thing:
    params.done()
    return _seen(work, work.find(KIND, transaction_id))


def _seen(work: Work, row: Thing) -> Thing:
    return {**row, "status": "available" if row["available_on"] <= work.now else "pending"}


def payouts(work: Work, params: Params) -> Thing:
    return lists.listing(work, PAYOUT, params, "/v1/payouts", "status", "destination")


def payout(work: Work, params: Params, payout_id: str) -> Thing:
    params.done()
    return work.find(PAYOUT, payout_id)


def balance(work: Work, params: Params) -> Thing:
    """What is available and what is pending, by currency."""
    params.done()
    sums: dict[bool, dict[str, int]] = {True: defaultdict(int), False: defaultdict(int)}
    for row in work.all(KIND):
        sums[row["available_on"] <= work.now][row["currency"]] += row["net"]
    return {
        "object": "balance",
        "available": _funds(sums[True]),
        "livemode": False,
        "pending": _funds(sums[False]),
    }


def _funds(sums: dict[str, int]) -> list[Thing]:
    return [
        {"amount": total, "currency": code, "source_types": {"card": total}}
        for code, total in sorted(sums.items())
    ]


def _payout(work: Work, code: str, total: int) -> Thing:
    return {
        "id": work.ids.next("po_"),
        "object": PAYOUT,
        "amount": total,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": work.now + DAY_S,
        "automatic": True,
        "balance_transaction": None,
        "created": work.now,
        "currency": code,
        "description": "STRIPE PAYOUT",
        "destination": "ba_sandbox",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }
