-- name: accounts
-- Every account with the signed sum of its entries, by code.
SELECT
    a.id, a.code, a.currency, a.kind, a.floor_minor, a.created_at,
    coalesce(sum(e.amount_minor), 0)::bigint AS entry_sum
FROM ledger_accounts AS a
LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
WHERE a.org_id = $1
GROUP BY a.org_id, a.id
ORDER BY a.code, a.currency LIMIT $2 OFFSET $3;

-- name: count_accounts
-- How many accounts there are, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM ledger_accounts WHERE org_id = $1 LIMIT $2) AS counted;

-- name: postings
-- A window on the postings, newest first; each filter may be absent.
SELECT t.* FROM ledger_transactions AS t
WHERE
    t.org_id = $1 AND ($2::uuid IS NULL OR t.id < $2)
    AND ($5::text IS NULL OR t.source_id = $5)
    AND (
        $6::text IS NULL OR EXISTS (
            SELECT 1 FROM ledger_entries AS e
            JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
            WHERE e.org_id = t.org_id AND e.transaction_id = t.id AND a.code = $6
        )
    )
ORDER BY t.id DESC LIMIT $3 OFFSET $4;

-- name: count_postings
-- How many postings the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM ledger_transactions AS t
    WHERE
        t.org_id = $1
        AND ($3::text IS NULL OR t.source_id = $3)
        AND (
            $4::text IS NULL OR EXISTS (
                SELECT 1 FROM ledger_entries AS e
                JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
                WHERE e.org_id = t.org_id AND e.transaction_id = t.id AND a.code = $4
            )
        )
    LIMIT $2
) AS counted;

-- name: entries
-- The entries of some postings with their accounts, in their order.
SELECT e.transaction_id, e.amount_minor, e.currency, a.code FROM ledger_entries AS e
JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
WHERE e.org_id = $1 AND e.transaction_id = ANY($2::uuid[])
ORDER BY e.transaction_id, e.position;
