-- name: get_hold
-- One hold of the bound organization.
SELECT * FROM holds WHERE org_id = $1 AND id = $2;

-- name: insert_hold
-- A hold and what it sets aside, in one statement: what is available is checked by it.
WITH held AS (
    UPDATE ledger_accounts AS a SET held_minor = a.held_minor + $5::bigint
    FROM wallets AS w
    WHERE w.org_id = $1 AND w.id = $3 AND a.org_id = w.org_id AND a.id = w.account_id
)
INSERT INTO holds (
    org_id, id, wallet_id, status, amount_minor, captured_minor, currency, description, metadata,
    expires_at, settled_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: settle_hold
-- Replaces exactly the open version before, and frees what it had set aside in the same statement.
WITH freed AS (
    UPDATE ledger_accounts AS a SET held_minor = a.held_minor - $5::bigint
    FROM wallets AS w
    WHERE w.org_id = $1 AND w.id = $3 AND a.org_id = w.org_id AND a.id = w.account_id
)
UPDATE holds SET
    status = $4, captured_minor = $6, settled_at = $11, version = $12, sequence = $13, updated_at = $15
WHERE
    org_id = $1 AND id = $2 AND version = $12 - 1 AND status = 'open'
    AND wallet_id = $3 AND amount_minor = $5 AND currency = $7 AND description IS NOT DISTINCT FROM $8
    AND metadata = $9 AND expires_at = $10 AND created_at = $14;
