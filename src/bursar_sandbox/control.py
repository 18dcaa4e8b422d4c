"""The control routes under `/_sandbox`: faults, moods, the clock, disputes, and the books to read.

They are not Stripe's. They take JSON or form data and need the secret key, save for health.
"""

from collections import defaultdict
from typing import Any

import msgspec

from bursar_sandbox.core import faults, lists, outbox, rules, search
from bursar_sandbox.core.books import Books
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid, missing
from bursar_sandbox.core.wire import Form, Request, Thing, parse_body, parse_form
from bursar_sandbox.core.work import Work
from bursar_sandbox.resources import balance, charges, disputes
from bursar_sandbox.routes import Route, RouteTable

HEALTH = "/_sandbox/health"
CLOCK = "_clock"
ADVANCE_MAX_S = 10 * 366 * 86_400
LATE_DEFAULT_MS = 1_000
DELAY_MAX_MS = 30 * 86_400_000
COPIES_MAX = 100
COPIED = (
    "id", "payment_intent", "customer", "amount", "amount_refunded", "currency", "created",
    "disputed", "metadata",
)  # fmt: skip
SUMMED = ("amount", "amount_refunded", "amount_disputed", "fee")


def read(request: Request) -> Form:
    """The fields of a control request, from JSON or a form.

    Raises:
        Refusal: neither.
    """
    if not request.body.lstrip().startswith(b"{"):
        return parse_body(request)
    try:
        told = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise invalid("The body is not well-formed JSON.") from problem
    return {**parse_form(request.query), **_as_form(told)}


def _as_form(value: Any) -> Form:
    return {name: _field(inner) for name, inner in value.items() if inner is not None}


def _field(value: Any) -> Any:
    if isinstance(value, dict):
        return _as_form(value)
    if isinstance(value, list):
        return {str(index): _field(inner) for index, inner in enumerate(value)}
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def offset_ms(books: Books) -> int:
    """How far the sandbox's clock runs ahead of the one it was given."""
    row = books.get(CLOCK, CLOCK)
    return int(row["offset_ms"]) if row else 0


def health(work: Work, params: Params) -> Thing:
    params.accept(*params.names())
    return {"status": "ok", "now": work.now}


def clock(work: Work, _params: Params) -> Thing:
    return {"now": work.now, "offset_seconds": offset_ms(work.books) // 1000}


def advance(work: Work, params: Params) -> Thing:
    """Move the clock forward: what is pending settles, keys age, sessions expire."""
    seconds = params.integer("advance")
    if seconds is None or not 0 <= seconds <= ADVANCE_MAX_S:
        raise invalid(f"advance must be 0 to {ADVANCE_MAX_S} seconds.", "advance")
    offset = offset_ms(work.books) + seconds * 1000
    work.books.put(CLOCK, CLOCK, {"offset_ms": offset})
    return {"now": work.now + seconds, "offset_seconds": offset // 1000}


def fault(work: Work, params: Params) -> Thing:
    return _shown(faults.create(work, params))


def fault_rules(work: Work, _params: Params) -> Thing:
    return {"data": [_shown(row) for row in work.all(faults.KIND)]}


def clear_faults(work: Work, _params: Params) -> Thing:
    return _clear(work, faults.KIND)


def mood(work: Work, params: Params) -> Thing:
    """A rule that spoils deliveries to come."""
    kind = params.choice("kind", outbox.MOODS)
    if kind is None:
        raise missing("kind")
    default_ms = outbox.SHUFFLE_WINDOW_MS if kind == "out_of_order" else LATE_DEFAULT_MS
    delay_ms, copies = params.integer("delay_ms"), params.integer("copies")
    if delay_ms is not None and not 0 <= delay_ms <= DELAY_MAX_MS:
        raise invalid(f"delay_ms must be 0 to {DELAY_MAX_MS}.", "delay_ms")
    if copies is not None and not 1 <= copies <= COPIES_MAX:
        raise invalid(f"copies must be 1 to {COPIES_MAX}.", "copies")
    rule = {
        "id": work.ids.next("mood_"),
        "object": outbox.MOOD,
        "kind": kind,
        "types": params.text("types") or "*",
        "delay_ms": default_ms if delay_ms is None else delay_ms,
        "copies": copies or 1,
        **rules.occasions(params),
    }
    return _shown(work.add(rule))


def moods(work: Work, _params: Params) -> Thing:
    """The rules, and what waits to be sent."""
    waiting = work.all(outbox.DELIVERY)
    return {
        "data": [_shown(row) for row in work.all(outbox.MOOD)],
        "is_paused": work.get(outbox.PAUSE, outbox.PAUSE) is not None,
        "pending": len(waiting),
        "pending_now": sum(row["due_ms"] <= work.now_ms for row in waiting),
    }


def clear_moods(work: Work, _params: Params) -> Thing:
    return _clear(work, outbox.MOOD)


def pause(work: Work, params: Params) -> Thing:
    work.books.put(outbox.PAUSE, outbox.PAUSE, {})
    return moods(work, params)


def resume(work: Work, params: Params) -> Thing:
    work.books.drop(outbox.PAUSE, outbox.PAUSE)
    return moods(work, params)


def resend(work: Work, _params: Params, event_id: str) -> Thing:
    """Queue an event once more, as the dashboard's button does."""
    event = work.find("event", event_id)
    return {"queued": outbox.enqueue(work.books, work.ids, event, work.now_ms)}


def search_lag(work: Work, params: Params) -> Thing:
    seconds = params.integer("lag_seconds")
    if seconds is not None:
        work.books.put(search.LAG, search.LAG, {"seconds": max(0, seconds)})
    return {"lag_seconds": search.lag_s(work)}


def dispute(work: Work, params: Params) -> Thing:
    """Dispute any succeeded charge, long after the fact if need be."""
    charge_id = params.required("charge")
    reason = params.choice("reason", disputes.REASONS) or "fraudulent"
    is_inquiry = params.boolean("is_inquiry") or False
    work.find(charges.KIND, charge_id, "charge")
    return disputes.open_for(work, charge_id, reason, is_inquiry=is_inquiry)


def close_dispute(work: Work, params: Params, dispute_id: str) -> Thing:
    outcome = params.choice("outcome", disputes.OUTCOMES)
    if outcome is None:
        raise missing("outcome")
    return disputes.close(work, dispute_id, outcome)


def reopen_dispute(work: Work, _params: Params, dispute_id: str) -> Thing:
    return disputes.reopen(work, dispute_id)


def reset(work: Work, _params: Params) -> Thing:
    """Forget everything but where webhooks go."""
    work.books.clear(outbox.ENDPOINT)
    return {"status": "ok"}


def books(work: Work, params: Params) -> Thing:
    """Every charge that took money, with totals by currency and by customer.

    `metadata[…]` and `created[…]` narrow it, so one merchant's part can be read alone.
    """
    wanted = params.metadata()
    low, high = lists.created_range(params)
    held = _held(work)
    lines = [
        _line(work, charge, held[charge["id"]])
        for charge in work.all(charges.KIND)
        if charge["status"] == "succeeded"
        and wanted.items() <= charge["metadata"].items()
        and low <= charge["created"] <= high
    ]
    totals: dict[str, dict[str, int]] = {}
    customers: dict[str, dict[str, dict[str, int]]] = {}
    for line in lines:
        _sum(totals, line)
        _sum(customers.setdefault(line["customer"] or "none", {}), line)
    return {"charges": lines, "customers": customers, "totals": totals}


def _held(work: Work) -> dict[str, int]:
    """What disputes hold back of each charge, their fees left aside."""
    held: dict[str, int] = defaultdict(int)
    for row in work.all(disputes.KIND):
        held[row["charge"]] -= sum(moved["amount"] for moved in row["balance_transactions"])
    return held


def _line(work: Work, charge: Thing, held: int) -> Thing:
    moved = work.find(balance.KIND, charge["balance_transaction"])
    copied = {name: charge[name] for name in COPIED}
    return {**copied, "amount_disputed": held, "fee": moved["fee"]}


def _sum(into: dict[str, dict[str, int]], line: Thing) -> None:
    sums = into.setdefault(line["currency"], dict.fromkeys(("count", *SUMMED), 0))
    sums["count"] += 1
    for name in SUMMED:
        sums[name] += line[name]


def _shown(row: Thing) -> Thing:
    return {name: value for name, value in row.items() if name != "object"}


def _clear(work: Work, kind: str) -> Thing:
    rows = work.all(kind)
    for row in rows:
        work.books.drop(kind, row["id"])
    return {"cleared": len(rows)}


ROUTES = RouteTable(
    (
        Route("GET", HEALTH, health),
        Route("GET", "/_sandbox/clock", clock),
        Route("POST", "/_sandbox/clock", advance),
        Route("GET", "/_sandbox/faults", fault_rules),
        Route("POST", "/_sandbox/faults", fault),
        Route("DELETE", "/_sandbox/faults", clear_faults),
        Route("GET", "/_sandbox/webhooks", moods),
        Route("POST", "/_sandbox/webhooks", mood),
        Route("DELETE", "/_sandbox/webhooks", clear_moods),
        Route("POST", "/_sandbox/webhooks/pause", pause),
        Route("POST", "/_sandbox/webhooks/resume", resume),
        Route("POST", "/_sandbox/events/{}/resend", resend),
        Route("POST", "/_sandbox/search", search_lag),
        Route("POST", "/_sandbox/disputes", dispute),
        Route("POST", "/_sandbox/disputes/{}/close", close_dispute),
        Route("POST", "/_sandbox/disputes/{}/reopen", reopen_dispute),
        Route("POST", "/_sandbox/reset", reset),
        Route("GET", "/_sandbox/books", books),
    )
)
