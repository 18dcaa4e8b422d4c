"""Everything an organization's billing left in the database, with every id told by what it is of.

Two organizations with the same story have the same dump: ids are replaced by names that follow from
the order of things, and what only says when a statement ran is left out.
"""

import json
import re
from typing import Final
from uuid import UUID

import asyncpg

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# How the things of a table are told from each other, without their ids; the order matters.
_NAMED: Final = (
    ("customer", "SELECT id FROM customers WHERE org_id = $1 ORDER BY id"),
    ("plan", "SELECT id FROM plans WHERE org_id = $1 ORDER BY id"),
    ("price", "SELECT id FROM prices WHERE org_id = $1 ORDER BY plan_id, plan_version, position"),
    ("meter", "SELECT id FROM meters WHERE org_id = $1 ORDER BY id"),
    ("coupon", "SELECT id FROM coupons WHERE org_id = $1 ORDER BY id"),
    ("subscription", "SELECT id FROM subscriptions WHERE org_id = $1 ORDER BY id"),
    (
        "invoice",
        """SELECT id FROM invoices WHERE org_id = $1
        ORDER BY number, created_at, subscription_id, period_start_at, id""",
    ),
    (
        "line",
        """SELECT l.id FROM invoice_lines AS l JOIN invoices AS i USING (org_id)
        WHERE i.id = l.invoice_id AND l.org_id = $1
        ORDER BY i.number, i.created_at, i.subscription_id, i.id, l.position""",
    ),
)
_ENTRIES: Final = """
SELECT to_jsonb(t) - 'recorded_at' - 'id' || jsonb_build_object('entries', (
    SELECT jsonb_agg(jsonb_build_array(a.code, e.amount_minor, e.currency) ORDER BY e.position)
    FROM ledger_entries AS e
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    WHERE e.org_id = t.org_id AND e.transaction_id = t.id
)) FROM ledger_transactions AS t WHERE org_id = $1
"""
_EVENTS: Final = """
SELECT to_jsonb(t) - ARRAY['id', 'recorded_at', 'transaction_id', 'request_id']
FROM events AS t WHERE org_id = $1 AND resource_type IN ('invoice', 'subscription')
"""
_TASKS: Final = """
SELECT convert_from(payload, 'UTF8')::jsonb FROM queue.pgqueuer
WHERE convert_from(payload, 'UTF8')::jsonb ->> 'org' = ($1::uuid)::text
"""
# However many rows they came in.
_FIGURES: Final = """
SELECT to_jsonb(t) FROM (
    SELECT measure, currency, day, sum(amount_minor) AS amount, sum(count) AS count
    FROM figures WHERE org_id = $1 GROUP BY measure, currency, day
) AS t
"""
_DUMPED: Final = (
    "SELECT to_jsonb(t) FROM subscriptions AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM subscription_terms AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM invoices AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) #- '{derivation,knownAt}' FROM invoice_lines AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM invoice_series AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM pending_lines AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) - 'known_at' FROM billed_periods AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM usage_days AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) FROM agenda AS t WHERE org_id = $1",
    "SELECT to_jsonb(t) - 'id' - 'created_at' FROM ledger_accounts AS t WHERE org_id = $1",
    _ENTRIES,
    _EVENTS,
    _FIGURES,
    _TASKS,
)


async def dump(connection: "asyncpg.Connection[asyncpg.Record]", org_id: UUID) -> list[str]:
    """All rows, as text, in an order that ids have no part in."""
    names = {str(org_id): "the org"}
    for noun, query in _NAMED:
        for number, row in enumerate(await connection.fetch(query, org_id)):
            names[str(row["id"])] = f"{noun} {number}"
    rows = []
    for number, query in enumerate(_DUMPED):
        for row in await connection.fetch(query, org_id):
            text = json.dumps(json.loads(row[0]), sort_keys=True)
            rows.append(f"{number:02} {_UUID.sub(lambda m: names.get(m[0], '?'), text)}")
    return sorted(rows)
