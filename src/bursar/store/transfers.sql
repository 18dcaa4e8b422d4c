-- name: lock_purses
-- Locks the accounts of wallets in the order of their ids, before anything is decided.
WITH named AS MATERIALIZED (
    SELECT w.id, w.account_id, w.provoke_credit, w.transfer_limit_minor, w.daily_limit_minor
    FROM wallets AS w WHERE w.org_id = $1 AND w.id = ANY($2::uuid[])
)
SELECT
    n.id AS wallet_id, n.provoke_credit, n.transfer_limit_minor, n.daily_limit_minor,
    a.id AS account_id, a.currency, a.balance_minor, a.held_minor, a.closed_at,
    t.id AS transit_id
FROM named AS n
JOIN ledger_accounts AS a ON a.id = n.account_id
LEFT JOIN ledger_accounts AS t ON t.org_id = $1 AND t.code = 'transit' AND t.currency = a.currency
WHERE a.org_id = $1 AND a.id = ANY(ARRAY(SELECT o.account_id FROM named AS o))
ORDER BY a.id FOR NO KEY UPDATE OF a;

-- name: see_purses
-- The same of wallets, and nothing is locked: whoever decides by it moves balances by `move_if_enough`.
SELECT
    w.id AS wallet_id, w.provoke_credit, w.transfer_limit_minor, w.daily_limit_minor,
    a.id AS account_id, a.currency, a.balance_minor, a.held_minor, a.closed_at,
    t.id AS transit_id
FROM wallets AS w
JOIN ledger_accounts AS a ON a.org_id = $1 AND a.id = w.account_id
LEFT JOIN ledger_accounts AS t ON t.org_id = $1 AND t.code = 'transit' AND t.currency = a.currency
WHERE w.org_id = $1 AND w.id = ANY($2::uuid[]);

-- name: move_if_enough
-- Locks accounts in the order of their ids and moves their balances, of those that hold what is needed.
WITH locked AS (
    SELECT o.id FROM ledger_accounts AS o
    WHERE o.org_id = $1 AND o.id = ANY($2::uuid[]) ORDER BY o.id FOR NO KEY UPDATE
)
UPDATE ledger_accounts AS a SET balance_minor = a.balance_minor + m.delta
FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS m (id, delta, needed)
JOIN locked AS l ON l.id = m.id
WHERE
    a.org_id = $1 AND a.id = m.id AND a.closed_at IS NULL
    AND a.balance_minor - a.held_minor >= m.needed
    AND a.balance_minor <= 9007199254740991 - greatest(m.delta, 0);

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

-- name: insert_completed
-- Transfers with both their moves, all their facts and what balances come to, under locks held already.
WITH t AS MATERIALIZED (
    SELECT * FROM unnest(
        $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::bigint[],
        $12::text[], $13::text[], $14::text[], $15::jsonb[], $16::text[], $17::text[], $18::text[]
    ) WITH ORDINALITY AS t (
        id, from_wallet_id, to_wallet_id, from_id, to_id, transit_id, minor, currency, description,
        caller_key, snapshot, actor, reason, request_id, place
    )
), moved AS (
    UPDATE ledger_accounts AS a SET balance_minor = a.balance_minor + m.delta
    FROM unnest($3::uuid[], $4::bigint[]) AS m (id, delta)
    WHERE a.org_id = $1 AND a.id = ANY($3::uuid[]) AND a.id = m.id
), written AS (
    INSERT INTO transfers (
        org_id, id, from_wallet_id, to_wallet_id, status, amount_minor, currency, description,
        metadata, provoked, credit_attempts, version, sequence, created_at, debited_at, credited_at,
        completed_at, caller_key
    )
    SELECT
        $1, t.id, t.from_wallet_id, t.to_wallet_id, 'COMPLETED', t.minor, t.currency, t.description,
        t.snapshot -> 'metadata', 'none', 0, cardinality($21::text[]), cardinality($21::text[]), $2, $2, $2,
        $2, t.caller_key
    FROM t
), posted AS (
    INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
    SELECT $1, ($19::uuid[])[2 * (t.place - 1) + m.turn], m.kind, 'txn_' || t.id, '', $2
    FROM t CROSS JOIN (VALUES (1, 'transfer_debited'), (2, 'transfer_credited')) AS m (turn, kind)
), entered AS (
    INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
    SELECT $1, ($19::uuid[])[2 * (t.place - 1) + e.turn], e.position, e.account_id, e.minor, t.currency
    FROM t CROSS JOIN LATERAL (
        VALUES
        (1, 1::smallint, t.from_id, t.minor), (1, 2::smallint, t.transit_id, -t.minor),
        (2, 1::smallint, t.transit_id, t.minor), (2, 2::smallint, t.to_id, -t.minor)
    ) AS e (turn, position, account_id, minor)
)
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, reason, request_id, occurred_at, snapshot, previous
)
SELECT
    $1, ($20::uuid[])[f.slot], ($21::text[])[f.turn], ($22::smallint[])[f.turn], ($23::boolean[])[f.turn],
    'transaction', t.id, f.turn, t.actor, t.reason, t.request_id, $2,
    t.snapshot || ($24::jsonb[])[f.turn], ($25::jsonb[])[f.turn]
FROM t CROSS JOIN LATERAL (
    VALUES (1, 4 * t.place - 3), (2, 4 * t.place - 2), (3, 4 * t.place - 1), (4, 4 * t.place)
) AS f (turn, slot);

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
