-- name: wallet
-- One wallet of the bound organization, with what its account keeps.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE w.org_id = $1 AND w.id = $2;

-- name: wallets
-- A window on the wallets, newest first; each filter may be absent.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE
    w.org_id = $1 AND ($2::uuid IS NULL OR w.id < $2)
    AND ($5::uuid IS NULL OR w.customer_id = $5)
    AND ($6::text IS NULL OR w.currency = $6)
    AND ($7::text[] IS NULL OR w.status = ANY($7))
    AND ($8::timestamptz IS NULL OR w.created_at >= $8)
    AND ($9::timestamptz IS NULL OR w.created_at < $9)
ORDER BY w.id DESC LIMIT $3 OFFSET $4;

-- name: count_wallets
-- How many wallets the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM wallets
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::text IS NULL OR currency = $4)
        AND ($5::text[] IS NULL OR status = ANY($5))
        AND ($6::timestamptz IS NULL OR created_at >= $6)
        AND ($7::timestamptz IS NULL OR created_at < $7)
    LIMIT $2
) AS counted;

-- name: wallet_of_user
-- The one wallet of a person in the bound organization.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE w.org_id = $1 AND w.user_id = $2;

-- name: wallet_history
-- A window on a wallet's entries, newest first; each balance is the kept one without what came later.
WITH seen AS (
    SELECT e.transaction_id, e.amount_minor FROM ledger_entries AS e
    WHERE e.org_id = $1 AND e.account_id = $2 AND ($3::uuid IS NULL OR e.transaction_id < $3)
    ORDER BY e.transaction_id DESC LIMIT $4 OFFSET $5
), later AS (
    SELECT coalesce(sum(e.amount_minor), 0) AS total FROM ledger_entries AS e
    WHERE
        e.org_id = $1 AND e.account_id = $2
        AND e.transaction_id > (SELECT s.transaction_id FROM seen AS s ORDER BY s.transaction_id DESC LIMIT 1)
)
SELECT
    t.id, t.kind, t.source_id, t.description, t.occurred_at, t.recorded_at,
    -s.amount_minor AS amount_minor,
    a.balance_minor + l.total + coalesce(
        sum(s.amount_minor) OVER (
            ORDER BY s.transaction_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0
    ) AS balance_minor
FROM seen AS s
CROSS JOIN later AS l
JOIN ledger_transactions AS t ON t.org_id = $1 AND t.id = s.transaction_id
JOIN ledger_accounts AS a ON a.org_id = $1 AND a.id = $2
ORDER BY s.transaction_id DESC;

-- name: count_wallet_history
-- How many entries the wallet has, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM ledger_entries WHERE org_id = $1 AND account_id = $2 LIMIT $3
) AS counted;
