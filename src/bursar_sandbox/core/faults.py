"""Faults on demand: what goes wrong with a request, by header or by rule.

A fault strikes before the request is read (nothing happened) or after its effect (only the answer
is lost). A 500 after the effect is kept under the idempotency key, as Stripe documents; 502, 503
and 504 come from an edge before the idempotency layer, so a retry sees the true answer.
"""

from dataclasses import dataclass

from bursar_sandbox.core import rules
from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import Refusal, invalid, missing
from bursar_sandbox.core.wire import Request, Thing
from bursar_sandbox.core.work import Work, public

KIND = "_fault"
HEADER = "Sandbox-Fault"
KINDS = (
    "delay", "error_before", "error_after", "drop_before", "drop_after", "rate_limit", "conflict",
    "swap",
)  # fmt: skip
DELAY_DEFAULT_MS = 500
DELAY_MAX_MS = 600_000
STATUS_DEFAULT = 500
STATUSES = (500, 502, 503, 504)
KEPT_STATUS = 500
RULES_MAX = 1_000


@dataclass(slots=True)
class Plan:
    """What goes wrong with one request."""

    delay_ms: int = 0
    error_before: int = 0
    error_after: int = 0
    drops_before: bool = False
    drops_after: bool = False
    is_limited: bool = False
    conflicts: bool = False
    swaps: bool = False

    def add(self, kind: str, value: int) -> None:
        """Add one fault; a later one of the same kind wins."""
        if kind in {"error_before", "error_after"}:
            setattr(self, kind, value or STATUS_DEFAULT)
        elif kind == "delay":
            self.delay_ms = value or DELAY_DEFAULT_MS
        else:
            self.drops_before = self.drops_before or kind == "drop_before"
            self.drops_after = self.drops_after or kind == "drop_after"
            self.is_limited = self.is_limited or kind == "rate_limit"
            self.conflicts = self.conflicts or kind == "conflict"
            self.swaps = self.swaps or kind == "swap"

    def refusal_before(self) -> Refusal | None:
        """The error that keeps the request from beginning."""
        if self.is_limited:
            return rate_limited()
        if self.conflicts:
            return conflicting()
        return server_error(self.error_before) if self.error_before else None


def plan(work: Work, request: Request) -> Plan:
    """Everything that strikes this request; rules spend their times here.

    Raises:
        Refusal: a fault header that cannot be read.
    """
    made = Plan()
    target = (request.method, request.route)

    def strikes(rule: Thing) -> bool:
        return rule["method"] in {"*", target[0]} and rules.matches(rule["path"], target[1])

    for rule in rules.fire(work.books, KIND, strikes, work.ids):
        made.add(rule["kind"], rule["value"])
    for part in filter(None, (p.strip() for p in request.header(HEADER).split(","))):
        kind, _, value = part.partition("=")
        made.add(kind, _value(kind, value))
    return made


def _value(kind: str, value: str) -> int:
    if kind not in KINDS:
        raise invalid(f"Unknown fault {kind[:40]}: use one of {', '.join(KINDS)}.", HEADER)
    if value and not (value.isascii() and value.isdigit()):
        raise invalid(f"The fault {kind} takes a number.", HEADER)
    number = int(value[:9]) if value else 0
    return checked(kind, number)


def checked(kind: str, number: int) -> int:
    """The fault's number: milliseconds for a delay, an HTTP status for an error.

    Raises:
        Refusal: out of range.
    """
    if kind == "delay" and number > DELAY_MAX_MS:
        raise invalid(f"A delay can be at most {DELAY_MAX_MS} ms.", "value")
    if kind.startswith("error") and number and number not in STATUSES:
        raise invalid(f"An error can be one of {', '.join(map(str, STATUSES))}.", "value")
    return number


def swapped(work: Work, shown: Thing) -> Thing:
    """The newest other object of the same kind: an answer that belongs to somebody else."""
    rows = [row for row in work.all(str(shown.get("object"))) if row["id"] != shown.get("id")]
    return public(rows[-1]) if rows else shown


def create(work: Work, params: Params) -> Thing:
    """A rule for the requests to come."""
    kind = params.choice("kind", KINDS)
    if kind is None:
        raise missing("kind")
    if len(work.all(KIND)) >= RULES_MAX:
        raise invalid(f"There can be at most {RULES_MAX} fault rules.")
    rule = {
        "id": work.ids.next("fault_"),
        "object": KIND,
        "kind": kind,
        "method": (params.text("method") or "*").upper(),
        "path": params.text("path") or "/v1/*",
        "value": checked(kind, params.integer("value") or 0),
        **rules.occasions(params),
    }
    params.done()
    return work.add(rule)


def server_error(status: int) -> Refusal:
    """An answer that says nothing of what happened."""
    return Refusal(
        status,
        {"type": "api_error", "message": "An unknown error occurred"},
        is_replayable=False,
    )


def rate_limited() -> Refusal:
    return Refusal(
        429,
        {
            "type": "invalid_request_error",
            "code": "rate_limit",
            "message": "Request rate limit exceeded.",
        },
        is_replayable=False,
        headers={"Retry-After": "1", "Stripe-Rate-Limited-Reason": "global-rate"},
    )


def conflicting() -> Refusal:
    return Refusal(
        409,
        {
            "type": "idempotency_error",
            "code": "idempotency_key_in_use",
            "message": "There is currently another in-progress request using this Idempotency Key.",
        },
        is_replayable=False,
    )
