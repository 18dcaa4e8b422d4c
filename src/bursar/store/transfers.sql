-- name: lock_purses
-- Locks the accounts of wallets in the order of their ids, before anything is decided.
WITH w AS MATERIALIZED (
    SELECT n.id, n.account_id, n.provoke_credit, n.transfer_limit_minor, n.daily_limit_minor
    FROM wallets AS n WHERE n.org_id = $1 AND n.id = ANY((SELECT $2::text::uuid[])::uuid[])
), locked AS MATERIALIZED (
    SELECT a.id, a.currency, a.balance_minor, a.held_minor, a.closed_at FROM ledger_accounts AS a
    WHERE a.org_id = $1 AND a.id = ANY(ARRAY(SELECT w.account_id FROM w))
    ORDER BY a.id FOR NO KEY UPDATE
), transits AS MATERIALIZED (
    SELECT array_agg(a.id) AS ids, array_agg(a.currency) AS currencies FROM ledger_accounts AS a
    WHERE a.org_id = $1 AND a.code = 'transit'
)
SELECT
    w.id AS wallet_id, w.provoke_credit, w.transfer_limit_minor, w.daily_limit_minor,
    l.id AS account_id, l.currency, l.balance_minor, l.held_minor, l.closed_at,
    (SELECT ids FROM transits)[array_position((SELECT currencies FROM transits), l.currency)] AS transit_id
-- Each wallet has its account, so both sides are whole; said in full, it is never done in nested loops.
FROM locked AS l FULL JOIN w ON w.account_id = l.id;

-- name: see_purses
-- The same of wallets, and nothing is locked: whoever decides by it moves balances by `move_if_enough`.
WITH transits AS MATERIALIZED (
    SELECT array_agg(a.id) AS ids, array_agg(a.currency) AS currencies FROM ledger_accounts AS a
    WHERE a.org_id = $1 AND a.code = 'transit'
)
SELECT
    w.id AS wallet_id, w.provoke_credit, w.transfer_limit_minor, w.daily_limit_minor,
    a.id AS account_id, a.currency, a.balance_minor, a.held_minor, a.closed_at,
    (SELECT ids FROM transits)[array_position((SELECT currencies FROM transits), a.currency)] AS transit_id
FROM wallets AS w
CROSS JOIN LATERAL (
    SELECT o.id, o.currency, o.balance_minor, o.held_minor, o.closed_at FROM ledger_accounts AS o
    WHERE o.org_id = $1 AND o.id = w.account_id OFFSET 0
) AS a
WHERE w.org_id = $1 AND w.id = ANY((SELECT $2::text::uuid[])::uuid[]);

-- name: move_if_enough
-- Locks accounts, named in the order of their ids, and moves the balances of those that hold enough.
WITH m AS MATERIALIZED (
    SELECT $2::text::uuid[] AS ids, $3::text::bigint[] AS deltas, $4::text::bigint[] AS needs
), locked AS (
    SELECT o.id FROM ledger_accounts AS o
    WHERE o.org_id = $1 AND o.id = ANY((SELECT ids FROM m)::uuid[]) ORDER BY o.id FOR NO KEY UPDATE
)
-- A row finds its place in the sorted ids by halves; a join of guessed size might go through them all.
UPDATE ledger_accounts AS a
SET balance_minor = a.balance_minor + (SELECT deltas FROM m)[width_bucket(a.id, (SELECT ids FROM m))]
WHERE
    a.org_id = $1 AND a.id = ANY((SELECT ids FROM m)::uuid[]) AND a.closed_at IS NULL
    AND (SELECT count(*) FROM locked) = (SELECT cardinality(ids) FROM m)
    AND a.balance_minor - a.held_minor >= (SELECT needs FROM m)[width_bucket(a.id, (SELECT ids FROM m))]
    AND a.balance_minor <= 9007199254740991
    - greatest((SELECT deltas FROM m)[width_bucket(a.id, (SELECT ids FROM m))], 0);

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
-- What a row brings forth is counted in its select list; VALUES that name the row are prepared for each anew.
WITH t AS MATERIALIZED (
    SELECT * FROM unnest(
        $5::text::uuid[], $6::text::uuid[], $7::text::uuid[], $8::text::uuid[], $9::text::uuid[],
        $10::text::uuid[], $11::text::uuid[], $12::text::uuid[], $13::text::uuid[], $14::text::uuid[],
        $15::text::uuid[], $16::text::uuid[], $17::text::bigint[], $18::text::text[], $19::text::text[],
        $20::text::text[], $21::text::text[], $22::text::text[],
        ARRAY(SELECT jsonb_array_elements($23::jsonb))
    ) AS t (
        id, from_wallet_id, to_wallet_id, from_id, to_id, transit_id, debit, credit, fact_1, fact_2,
        fact_3, fact_4, minor, currency, caller_key, actor, reason, request_id, snapshot
    )
), m AS MATERIALIZED (
    SELECT $3::text::uuid[] AS ids, $4::text::bigint[] AS deltas
), moved AS (
    UPDATE ledger_accounts AS a
    SET balance_minor = a.balance_minor + (SELECT deltas FROM m)[width_bucket(a.id, (SELECT ids FROM m))]
    WHERE a.org_id = $1 AND a.id = ANY((SELECT ids FROM m)::uuid[])
), written AS (
    INSERT INTO transfers (
        org_id, id, from_wallet_id, to_wallet_id, status, amount_minor, currency, description,
        metadata, provoked, credit_attempts, version, sequence, created_at, debited_at, credited_at,
        completed_at, caller_key
    )
    SELECT
        $1, t.id, t.from_wallet_id, t.to_wallet_id, 'COMPLETED', t.minor, t.currency,
        t.snapshot ->> 'description', t.snapshot -> 'metadata', 'none', 0, cardinality($24::text[]),
        cardinality($24::text[]), $2, $2, $2, $2, t.caller_key
    FROM t
), posted AS (
    INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
    SELECT
        $1, CASE p.turn WHEN 1 THEN p.debit ELSE p.credit END,
        CASE p.turn WHEN 1 THEN 'transfer_debited' ELSE 'transfer_credited' END, 'txn_' || p.id, '', $2
    FROM (SELECT t.debit, t.credit, t.id, generate_series(1, 2) AS turn FROM t) AS p
), entered AS (
    INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
    SELECT
        $1, CASE WHEN e.turn <= 2 THEN e.debit ELSE e.credit END, 2 - e.turn % 2,
        CASE e.turn WHEN 1 THEN e.from_id WHEN 4 THEN e.to_id ELSE e.transit_id END,
        CASE e.turn % 2 WHEN 1 THEN e.minor ELSE -e.minor END, e.currency
    FROM (
        SELECT
            t.debit, t.credit, t.from_id, t.transit_id, t.to_id, t.minor, t.currency,
            generate_series(1, 4) AS turn
        FROM t
    ) AS e
)
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, reason, request_id, occurred_at, snapshot, previous
)
SELECT
    $1, CASE f.turn WHEN 1 THEN f.fact_1 WHEN 2 THEN f.fact_2 WHEN 3 THEN f.fact_3 ELSE f.fact_4 END,
    ($24::text[])[f.turn], ($25::smallint[])[f.turn], ($26::boolean[])[f.turn],
    'transaction', f.id, f.turn, f.actor, f.reason, f.request_id, $2,
    CASE f.turn WHEN 4 THEN f.snapshot ELSE f.snapshot || ($27::jsonb[])[f.turn] END, ($28::jsonb[])[f.turn]
FROM (SELECT t.*, generate_series(1, 4) AS turn FROM t) AS f;

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
