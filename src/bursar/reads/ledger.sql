-- name: accounts
-- Every account with what it holds, by code: as kept for strict ones, the last fold and the rest for others.
SELECT
    a.id, a.code, a.currency, a.kind, a.floor_minor, a.created_at,
    CASE
        WHEN a.balance_minor IS NULL THEN coalesce(f.sum_minor, 0) + coalesce(since.sum_minor, 0)
        WHEN a.kind IN ('asset', 'expense', 'contra_revenue') THEN a.balance_minor
        ELSE -a.balance_minor
    END::bigint AS entry_sum
FROM ledger_accounts AS a
LEFT JOIN ledger_folds AS f ON f.org_id = a.org_id AND f.account_id = a.id
LEFT JOIN LATERAL (
    SELECT sum(e.amount_minor) AS sum_minor FROM ledger_entries AS e
    WHERE
        e.org_id = a.org_id AND e.account_id = a.id
        AND e.transaction_id >= coalesce(f.folded_before, '00000000-0000-0000-0000-000000000000')
) AS since ON a.balance_minor IS NULL
WHERE a.org_id = $1
ORDER BY a.code, a.currency LIMIT $2 OFFSET $3;

-- name: accounts_at
-- Every account with what had happened on it up to an instant, by code.
SELECT
    a.id, a.code, a.currency, a.kind, a.floor_minor, a.created_at,
    coalesce(sum(e.amount_minor) FILTER (WHERE t.occurred_at <= $4), 0)::bigint AS entry_sum
FROM (
    SELECT * FROM ledger_accounts WHERE org_id = $1 ORDER BY code, currency LIMIT $2 OFFSET $3
) AS a
LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
LEFT JOIN ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
GROUP BY a.id, a.code, a.currency, a.kind, a.floor_minor, a.created_at
ORDER BY a.code, a.currency;

-- name: account
-- One account of the bound organization.
SELECT
    a.id, a.code, a.currency, a.kind, a.floor_minor, a.created_at, 0::bigint AS entry_sum
FROM ledger_accounts AS a WHERE a.org_id = $1 AND a.id = $2;

-- name: statement
-- A window on what happened on an account, newest first.
SELECT
    t.id, t.kind, t.source_id, t.description, t.occurred_at, t.recorded_at, e.amount_minor, e.currency
FROM ledger_entries AS e
JOIN ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
WHERE e.org_id = $1 AND e.account_id = $2 AND ($3::uuid IS NULL OR e.transaction_id < $3)
ORDER BY e.transaction_id DESC LIMIT $4 OFFSET $5;

-- name: count_statement
-- How much happened on an account, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM ledger_entries WHERE org_id = $1 AND account_id = $2 LIMIT $3
) AS counted;

-- name: held_after
-- The sum of an account's entries up to a posting, that one included: the last fold before it and the rest.
SELECT (coalesce(min(f.sum_minor), 0) + coalesce(sum(e.amount_minor), 0))::bigint AS entry_sum
FROM (SELECT $1::uuid AS org_id, $2::uuid AS account_id) AS a
LEFT JOIN ledger_folds AS f
    ON f.org_id = a.org_id AND f.account_id = a.account_id AND f.folded_before <= $3
LEFT JOIN ledger_entries AS e
    ON e.org_id = a.org_id AND e.account_id = a.account_id AND e.transaction_id <= $3
    AND e.transaction_id >= coalesce(f.folded_before, '00000000-0000-0000-0000-000000000000');

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
