-- name: lock_purses
-- Locks the accounts of wallets in the order of their ids, before anything is decided.
SELECT
    w.id AS wallet_id, w.provoke_credit, w.transfer_limit_minor, w.daily_limit_minor,
    a.id AS account_id, a.currency, a.balance_minor, a.held_minor, a.closed_at,
    t.id AS transit_id
FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
LEFT JOIN ledger_accounts AS t ON t.org_id = w.org_id AND t.code = 'transit' AND t.currency = a.currency
WHERE w.org_id = $1 AND w.id = ANY($2::uuid[])
ORDER BY a.id FOR NO KEY UPDATE OF a;

-- name: sent_since
-- What wallets have sent since a moment and not got back.
SELECT t.from_wallet_id, sum(t.amount_minor)::bigint AS sent_minor FROM transfers AS t
WHERE
    t.org_id = $1 AND t.from_wallet_id = ANY($2::uuid[]) AND t.created_at >= $3
    AND t.status <> 'FAILED'
GROUP BY t.from_wallet_id;

-- name: own_wallets
-- The wallets of some people in the bound organization.
SELECT id, user_id FROM wallets WHERE org_id = $1 AND user_id = ANY($2::uuid[]);

-- name: lock_keys
-- Whoever brings one of these keys at the same time waits; locks are taken in the order of numbers.
SELECT pg_advisory_xact_lock(slots.slot) FROM (
    SELECT DISTINCT hashtextextended($1::uuid::text, abs(hashtextextended(k.key, 0) % $3::bigint)) AS slot
    FROM unnest($2::text[]) AS k (key) ORDER BY slot
) AS slots;

-- name: transfers_of_keys
-- What these keys have moved before.
SELECT * FROM transfers WHERE org_id = $1 AND caller_key = ANY($2::text[]);

-- name: count_in_flight
-- How many transfers out of a wallet are only debited.
SELECT count(*) FROM transfers WHERE org_id = $1 AND from_wallet_id = $2 AND status = 'DEBITED';

-- name: get_transfer
-- One transfer of the bound organization.
SELECT * FROM transfers WHERE org_id = $1 AND id = $2;

-- name: insert_transfers
-- New transfers, each with all the steps that share this commit.
INSERT INTO transfers (
    org_id, id, from_wallet_id, to_wallet_id, status, amount_minor, currency, description, metadata,
    provoked, credit_attempts, version, sequence, created_at, debited_at, credited_at, completed_at,
    caller_key
)
SELECT
    $1, t.id, t.from_wallet_id, t.to_wallet_id, t.status, t.amount_minor, t.currency, t.description,
    t.metadata, t.provoked, 0, t.version, t.version, $2, $2,
    CASE t.status WHEN 'COMPLETED' THEN $2::timestamptz END,
    CASE t.status WHEN 'COMPLETED' THEN $2::timestamptz END, t.caller_key
FROM unnest(
    $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::jsonb[],
    $11::text[], $12::smallint[], $13::text[]
) AS t (
    id, from_wallet_id, to_wallet_id, status, amount_minor, currency, description, metadata, provoked,
    version, caller_key
);

-- name: settle_transfer
-- The rest of a transfer whose debit stood alone; it is settled once.
UPDATE transfers SET
    status = $3, credit_attempts = $4, failure = $5, version = $6, sequence = $6,
    credited_at = $7, completed_at = $8, refunding_at = $9, failed_at = $10
WHERE org_id = $1 AND id = $2 AND status = 'DEBITED' AND version = 2;

-- name: count_attempt
-- The credit was tried once more, and nobody answered.
UPDATE transfers SET credit_attempts = credit_attempts + 1
WHERE org_id = $1 AND id = $2 AND status = 'DEBITED';
