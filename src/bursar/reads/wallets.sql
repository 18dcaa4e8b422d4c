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
