"""An auditor with books of its own: what must be true of a payment, whatever happened to it.

It believes the processor's books and what callers were told, predicts from them what our tables
must hold, and compares. It shares no rule, no query and no arithmetic with what it audits.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from bursar_sandbox.sandbox import Sandbox

OPEN: Final = frozenset({"pending", "requires_action", "processing"})
LINK: Final = "link"  # everybody who holds an invoice's link is one payer, who may try again
IN_PROGRESS: Final = "IDEMPOTENCY_IN_PROGRESS"

_EVIDENCE: Final = """
WITH mine AS (
    SELECT to_jsonb(p) AS row, p.id, 'pay_' || p.id AS name FROM payments AS p
    WHERE p.org_id = $1 AND p.invoice_id = $2
)
SELECT jsonb_build_object(
    'invoice', (SELECT to_jsonb(i) FROM invoices AS i WHERE i.org_id = $1 AND i.id = $2),
    'payments', (SELECT coalesce(jsonb_agg(m.row ORDER BY m.id), '[]') FROM mine AS m),
    'entries', (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(t.kind, t.source_id, a.code, e.amount_minor)
        ), '[]')
        FROM ledger_transactions AS t
        JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
        JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
        WHERE t.org_id = $1
            AND t.source_id IN (SELECT 'inv_' || $2::text UNION ALL SELECT m.name FROM mine AS m)
    ),
    'events', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            e.resource_id, e.sequence, e.type, e.snapshot ->> 'status', e.snapshot ->> 'version'
        ) ORDER BY e.resource_id, e.sequence), '[]')
        FROM events AS e
        WHERE e.org_id = $1 AND e.resource_id IN (SELECT $2 UNION ALL SELECT m.id FROM mine AS m)
    ),
    'heard', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            h.event_id, h.outcome IS NOT NULL, h.handled_at IS NOT NULL
        )), '[]')
        FROM provider_events AS h
        WHERE h.org_id = $1 AND h.payment_id IN (SELECT m.id FROM mine AS m)
    ),
    'agenda', (
        SELECT coalesce(jsonb_agg(g.subject_id), '[]') FROM agenda AS g
        WHERE g.org_id = $1 AND g.subject_id IN (SELECT m.id FROM mine AS m)
    ),
    'tasks', (SELECT count(*) FROM queue.pgqueuer AS q WHERE q.headers ->> 'org' = $1::text)
)::text
"""
_BALANCES: Final = """
SELECT a.code, a.balance_minor, coalesce(sum(e.amount_minor), 0)::bigint AS held
FROM ledger_accounts AS a
LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
WHERE a.org_id = $1 GROUP BY a.org_id, a.id
"""
_NUMBERS: Final = (
    "SELECT number FROM invoices WHERE org_id = $1 AND number IS NOT NULL ORDER BY number"
)


@dataclass(frozen=True, slots=True)
class Told:
    """The last word a caller heard about one request, if there was one."""

    act: str  # pay, link or void
    key: str
    status: int | None = None
    body: Any = None

    @property
    def payment_id(self) -> str | None:
        """The payment that the answer is about."""
        if self.status is None or self.body is None:
            return None
        if self.status < 400:
            found = self.body["data"].get("payment", {}).get("id")
        else:
            found = self.body["error"].get("paymentId")
        return None if found is None else str(found)


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened, as far as anybody outside knows."""

    invoice_id: UUID
    customer: str
    total: int
    told: tuple[Told, ...]
    acknowledged: frozenset[str]  # the processor's events that were answered 200


@dataclass(frozen=True, slots=True)
class Evidence:
    """What our tables hold, and what the processor's books do."""

    invoice: dict[str, Any]
    payments: list[dict[str, Any]]
    entries: list[tuple[str, str, str, int]]
    events: list[tuple[str, int, str, str | None, str | None]]
    heard: list[tuple[str, bool, bool]]
    agenda: list[str]
    tasks: int
    charges: list[dict[str, Any]]
    intents: list[dict[str, Any]]
    sessions: list[dict[str, Any]]


@dataclass
class Auditor:
    """One organization's auditor. `balances` are its own books, account by account."""

    owner: "asyncpg.Connection[asyncpg.Record]"
    sandbox: Sandbox
    org_id: UUID
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    invoices: int = 0

    async def audit(self, facts: Facts) -> list[str]:
        """What is wrong with one invoice and its payments."""
        evidence = await self._gather(facts)
        expected = _expected_entries(facts, evidence)
        for _, _, account, amount in expected:
            self.balances[account] += amount
        self.invoices += 1
        return [
            *_money(facts, evidence, expected),
            *_one_attempt(facts, evidence),
            *_answers(facts, evidence),
            *_ended(evidence),
            *_events(facts, evidence),
            *_work(facts, evidence),
        ]

    async def audit_all(self) -> list[str]:
        """What is wrong with the organization's books as a whole."""
        rows = await self.owner.fetch(_BALANCES, self.org_id)
        found = []
        for row in rows:
            code, held = row["code"], row["held"]
            if held != self.balances.get(code, 0):
                found.append(
                    f"M2 {code} holds {held}, the auditor says {self.balances.get(code, 0)}"
                )
            if row["balance_minor"] not in {None, -held}:
                found.append(f"M2 {code} keeps {row['balance_minor']}, its entries say {-held}")
        if sum(row["held"] for row in rows):
            found.append("M1 the trial balance is not zero")
        numbers = [row["number"] for row in await self.owner.fetch(_NUMBERS, self.org_id)]
        if numbers != list(range(1, self.invoices + 1)):
            found.append(f"M7 {self.invoices} invoices are numbered {numbers[:3]}…{numbers[-3:]}")
        taken = sum(charge["amount"] for charge in self._at_processor("charge") if charge["paid"])
        if taken != self.balances.get("processor:sandbox", 0):
            found.append(f"M3 the processor took {taken} for the organization")
        return found

    async def _gather(self, facts: Facts) -> Evidence:
        text = await self.owner.fetchval(_EVIDENCE, self.org_id, facts.invoice_id)
        ours = msgspec.json.decode(text)
        marked = f"inv_{facts.invoice_id}"
        theirs = {
            kind: [
                row
                for row in self._at_processor(kind)
                if row["metadata"].get("invoice_id") == marked
            ]
            for kind in ("charge", "payment_intent", "checkout.session")
        }
        return Evidence(
            invoice=ours["invoice"],
            payments=ours["payments"],
            entries=[tuple(each) for each in ours["entries"]],
            events=[tuple(each) for each in ours["events"]],
            heard=[tuple(each) for each in ours["heard"]],
            agenda=ours["agenda"],
            tasks=ours["tasks"],
            charges=[row for row in theirs["charge"] if row["status"] == "succeeded"],
            intents=theirs["payment_intent"],
            sessions=theirs["checkout.session"],
        )

    def _at_processor(self, kind: str) -> list[dict[str, Any]]:
        mine = f"org_{self.org_id}"
        return [
            row for row in self.sandbox.books.all(kind) if row["metadata"].get("org_id") == mine
        ]


def _paid_by(evidence: Evidence) -> dict[str, int]:
    """What the processor took, payment by payment."""
    return {charge["metadata"]["payment_id"]: charge["amount"] for charge in evidence.charges}


def _expected_entries(facts: Facts, evidence: Evidence) -> list[tuple[str, str, str, int]]:
    """Bookkeeping by hand, from the invoice's end and the processor's books."""
    invoice, total = f"inv_{facts.invoice_id}", facts.total
    owed, is_void = f"receivable:{facts.customer}", evidence.invoice["status"] == "void"
    entries = [
        ("invoice_finalized", invoice, owed, total),
        ("invoice_finalized", invoice, "revenue", -total),
    ]
    if is_void:
        entries += [
            ("invoice_voided", invoice, owed, -total),
            ("invoice_voided", invoice, "revenue", total),
        ]
    for payment, amount in _paid_by(evidence).items():
        kind = "overpayment" if is_void else "payment_succeeded"
        into = f"credit:{facts.customer}" if is_void else owed
        entries += [(kind, payment, "processor:sandbox", amount), (kind, payment, into, -amount)]
    return entries


def _money(
    facts: Facts, evidence: Evidence, expected: list[tuple[str, str, str, int]]
) -> Iterator[str]:
    """M1, M2, M3 and M4: the money moved once, and the books say so."""
    paid_by = _paid_by(evidence)
    if len(evidence.charges) > 1:
        yield f"M4 the processor charged {len(evidence.charges)} times for one invoice"
    if any(amount != facts.total for amount in paid_by.values()):
        yield f"M3 the processor charged {list(paid_by.values())} for {facts.total}"
    succeeded = {f"pay_{row['id']}" for row in evidence.payments if row["status"] == "succeeded"}
    if succeeded != set(paid_by):
        yield f"M3 succeeded here {sorted(succeeded)}, charged there {sorted(paid_by)}"
    if Counter(evidence.entries) != Counter(expected):
        yield f"M1 entries are {sorted(evidence.entries)}, expected {sorted(expected)}"
    status, paid = evidence.invoice["status"], evidence.invoice["paid_minor"]
    should = "void" if status == "void" else "paid" if paid_by else "open"
    if status != should or paid != (facts.total if should == "paid" else 0):
        yield f"M4 the invoice is {status} with {paid} paid, it should be {should}"
    for row in evidence.payments:
        is_credit = row["status"] == "succeeded" and status == "void"
        if row["credited_minor"] != (row["amount_minor"] if is_credit else 0):
            yield f"M4 pay_{row['id']} is credited: {row['credited_minor']}"


def _one_attempt(facts: Facts, evidence: Evidence) -> Iterator[str]:
    """M4 and A2: one attempt per request, one object at the processor per attempt."""
    if sum(row["status"] in OPEN for row in evidence.payments) > 1:
        yield "M4 two attempts are open"
    keys = Counter(row["attempt_key"] for row in evidence.payments)
    for key, times in keys.items():
        if times > 1 and key != LINK:
            yield f"A2 the request {key} began {times} attempts"
    known = {f"key:{told.key}" for told in facts.told if told.act == "pay"}
    known |= {LINK for told in facts.told if told.act == "link"}
    if not keys.keys() <= known:
        yield f"A2 attempts of requests nobody made: {sorted(keys.keys() - known)}"
    for kind, rows in (("intents", evidence.intents), ("sessions", evidence.sessions)):
        for payment, times in Counter(row["metadata"]["payment_id"] for row in rows).items():
            if times > 1:
                yield f"M3 {payment} has {times} {kind} at the processor"


def _answers(facts: Facts, evidence: Evidence) -> Iterator[str]:
    """A1: whatever a caller was told is so, and a caller hears of their own attempt."""
    by_key = {row["attempt_key"]: row for row in evidence.payments}
    for told in facts.told:
        if told.status is None:
            continue
        if told.act == "void":
            if told.status == 200 and evidence.invoice["status"] != "void":
                yield "A1 the invoice was voided, the answer said"
            continue
        mine = by_key.get(f"key:{told.key}")
        yield from _pay_answer(told, mine)


def _pay_answer(told: Told, mine: dict[str, Any] | None) -> Iterator[str]:
    if mine is None:
        if told.status != 409:
            yield f"A1 {told.key} was answered {told.status}, and has no attempt"
        return
    if told.status not in {200, 201, 202, 402}:
        yield f"A2 {told.key} began an attempt and was answered {told.status} {told.body}"
        return
    if told.payment_id != f"pay_{mine['id']}":
        yield f"A2 {told.key} began pay_{mine['id']} and was answered {told.payment_id}"
        return
    said = "failed" if told.status == 402 else told.body["data"]["payment"]["status"]
    if said == "succeeded" and mine["status"] != "succeeded":
        yield f"A1 {told.key} was told {said}, and the payment is {mine['status']}"


def _ended(evidence: Evidence) -> Iterator[str]:
    """A3: an attempt is over, unless the processor itself waits for the cardholder."""
    waiting = {
        row["metadata"]["payment_id"]
        for row in evidence.intents
        if row["status"] == "requires_action"
    }
    for row in evidence.payments:
        name, status = f"pay_{row['id']}", row["status"]
        if status in OPEN and not (status == "requires_action" and name in waiting):
            yield f"A3 {name} is still {status}"
        if status in OPEN and evidence.invoice["status"] != "open":
            yield f"A3 {name} is {status}, its invoice {evidence.invoice['status']}"
        if (status in OPEN) != (row["id"] in evidence.agenda):
            yield f"A3 {name} is {status}; on the agenda: {row['id'] in evidence.agenda}"
    for row in evidence.sessions:
        if row["status"] == "open":
            yield f"A3 the session of {row['metadata']['payment_id']} can still be paid"


def _events(facts: Facts, evidence: Evidence) -> Iterator[str]:
    """E1: every change told once, in order, and the last word is how things are."""
    told: dict[str, list[tuple[int, str, str | None, str | None]]] = defaultdict(list)
    for resource, sequence, name, status, version in evidence.events:
        told[resource].append((sequence, name, status, version))
    for row in (evidence.invoice, *evidence.payments):
        events = told[row["id"]]
        if [each[0] for each in events] != list(range(1, row["sequence"] + 1)):
            yield f"E1 {row['id']} told {[each[0] for each in events]} of {row['sequence']}"
        if not events or events[-1][2:] != (row["status"], str(row["version"])):
            yield f"E1 the last event of {row['id']} says {events[-1:]}, it is {row['status']}"
    names = [each[1] for each in told[str(facts.invoice_id)]]
    end = {"open": [], "paid": ["invoice.paid"], "void": ["invoice.voided"]}
    if names != ["invoice.created", "invoice.finalized", *end[evidence.invoice["status"]]]:
        yield f"E1 the invoice's story is {names}"
    for row in evidence.payments:
        yield from _story_of_payment(row["status"], [each[1] for each in told[row["id"]]])


def _story_of_payment(status: str, names: Iterable[str]) -> Iterator[str]:
    steps = [name for name in names if name != "payment.updated"]
    counts = Counter(steps)
    is_told = {
        "succeeded": counts["payment.succeeded"] == 1,
        "failed": counts["payment.failed"] == 1 and not counts["payment.succeeded"],
    }
    if steps[:1] != ["payment.attempted"] or max(counts.values()) > 1:
        yield f"E1 a payment's story is {steps}"
    elif not is_told.get(status, not counts["payment.succeeded"] and not counts["payment.failed"]):
        yield f"E1 a payment is {status}, its story {steps}"


def _work(facts: Facts, evidence: Evidence) -> Iterator[str]:
    """J1: no task is left or held, and every event that was acknowledged was acted on."""
    if evidence.tasks:
        yield f"J1 {evidence.tasks} tasks are left"
    for event_id, has_outcome, is_handled in evidence.heard:
        if has_outcome and not is_handled:
            yield f"J1 the event {event_id} was heard and never acted on"
    missing = facts.acknowledged - {event_id for event_id, _, _ in evidence.heard}
    if missing:
        yield f"A1 acknowledged and forgotten: {sorted(missing)}"
