-- name: lock_wallet
-- A wallet with what its account keeps, both locked: whoever moves its money meanwhile waits.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE w.org_id = $1 AND w.id = $2
FOR NO KEY UPDATE;

-- name: insert_wallet
-- A new wallet of the bound organization; its account exists already.
INSERT INTO wallets (
    org_id, id, account_id, customer_id, user_id, name, currency, status, provoke_credit,
    transfer_limit_minor, daily_limit_minor, metadata, closed_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: update_wallet
-- Replaces exactly the version before, and closes or opens the account with it: only an empty one closes.
WITH kept AS (
    UPDATE ledger_accounts AS a SET closed_at = $13
    WHERE a.org_id = $1 AND a.id = $3 AND a.closed_at IS DISTINCT FROM $13
)
UPDATE wallets SET
    name = $6, status = $8, provoke_credit = $9, transfer_limit_minor = $10, daily_limit_minor = $11,
    metadata = $12, closed_at = $13, version = $14, sequence = $15, updated_at = $17
WHERE
    org_id = $1 AND id = $2 AND version = $14 - 1
    AND account_id = $3 AND customer_id IS NOT DISTINCT FROM $4 AND user_id IS NOT DISTINCT FROM $5
    AND currency = $7 AND created_at = $16;

-- name: lock_through_hold
-- Finds and locks the wallet of a hold, with what its account keeps.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
JOIN holds AS h ON h.org_id = w.org_id AND h.wallet_id = w.id
WHERE h.org_id = $1 AND h.id = $2
FOR NO KEY UPDATE OF w, a;

-- name: lock_member
-- The person's place in the organization: whoever holds it is alone with their wallet's beginning.
SELECT user_id FROM members WHERE org_id = $1 AND user_id = $2 FOR NO KEY UPDATE;

-- name: lock_wallet_of_user
-- The one wallet of a person, with what its account keeps, both locked.
SELECT w.*, a.balance_minor, a.held_minor FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE w.org_id = $1 AND w.user_id = $2
FOR NO KEY UPDATE;

-- name: wallets_of_customer
-- The open wallets of a customer in one currency; a second one says that they must choose.
SELECT id FROM wallets
WHERE org_id = $1 AND customer_id = $2 AND currency = $3 AND status = 'open' ORDER BY id LIMIT 2;

-- name: count_open_wallets
-- How many wallets of a customer are open.
SELECT count(*) FROM wallets WHERE org_id = $1 AND customer_id = $2 AND status = 'open';
