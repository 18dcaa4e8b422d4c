"""What must be true of stored value at every instant, seen in one snapshot from outside.

Whoever looks at any moment finds each amount in exactly one place: what wallets and transit hold
together is what came in less what went out, transit holds what is in flight, and every stored
balance is the sum of its entries and not below its floor.
"""

from typing import Any, Final
from uuid import UUID

_SEEN: Final = """
WITH held AS (
    SELECT e.account_id, sum(e.amount_minor)::bigint AS minor FROM ledger_entries AS e
    WHERE e.org_id = $1 GROUP BY e.account_id
), accounts AS (
    SELECT a.code, a.balance_minor, a.floor_minor, coalesce(h.minor, 0) AS minor
    FROM ledger_accounts AS a LEFT JOIN held AS h ON h.account_id = a.id WHERE a.org_id = $1
)
SELECT
    coalesce((SELECT sum(a.minor) FROM accounts AS a), 0)::bigint AS total,
    coalesce((SELECT -sum(a.minor) FROM accounts AS a WHERE a.code = 'transit'), 0)::bigint
        AS transit,
    coalesce((
        SELECT sum(t.amount_minor) FROM transfers AS t WHERE t.org_id = $1 AND t.status = 'DEBITED'
    ), 0)::bigint AS flying,
    array(
        SELECT a.code FROM accounts AS a
        WHERE a.balance_minor IS NOT NULL AND a.balance_minor <> -a.minor
    ) AS drifted,
    array(SELECT a.code FROM accounts AS a WHERE a.balance_minor < a.floor_minor) AS below
"""


async def look(connection: Any, org_id: UUID) -> list[str]:
    """What is wrong at this instant."""
    seen = await connection.fetchrow(_SEEN, org_id)  # one statement sees one snapshot
    found = []
    if seen["total"]:
        found.append(f"M1 at this instant the books are off by {seen['total']}")
    if seen["transit"] != seen["flying"]:
        found.append(f"M6 transit holds {seen['transit']}, {seen['flying']} is in flight")
    if seen["drifted"]:
        found.append(f"M2 these balances are not the sums of their entries: {seen['drifted']}")
    if seen["below"]:
        found.append(f"M2 these are below their floor: {seen['below']}")
    return found
