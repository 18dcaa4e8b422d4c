-- name: postings_balance
-- Every ledger transaction has at least two entries and sums to zero per currency.
WITH summed AS (
    SELECT i.transaction_id, count(*) AS entries, sum(i.amount_minor) AS currency_sum
    FROM ledger_entries AS i WHERE i.org_id = $1 GROUP BY i.transaction_id, i.currency
), checked AS (
    SELECT 'led_' || t.id AS name, sum(s.entries) > 1 AND bool_and(s.currency_sum = 0) AS is_good
    FROM ledger_transactions AS t LEFT JOIN summed AS s ON s.transaction_id = t.id
    WHERE t.org_id = $1 GROUP BY t.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: trial_balance_is_zero
-- All entries of a currency together sum to zero.
WITH checked AS (
    SELECT e.currency::text AS name, sum(e.amount_minor) = 0 AS is_good
    FROM ledger_entries AS e WHERE e.org_id = $1 GROUP BY e.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: balances_match_entries
-- Entries are in their account's currency; a kept balance is the sum of them, at or above its floor.
WITH checked AS (
    SELECT
        a.code || ' ' || a.currency AS name,
        coalesce(bool_and(e.currency = a.currency), true)
        AND (
            a.balance_minor IS NULL
            OR (
                a.balance_minor >= a.floor_minor
                AND a.balance_minor = coalesce(sum(e.amount_minor), 0)
                * CASE WHEN a.kind IN ('asset', 'expense', 'contra_revenue') THEN 1 ELSE -1 END
            )
        ) AS is_good
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 GROUP BY a.org_id, a.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: folds_match_entries
-- What was carried forward is the sum of the entries up to there.
WITH checked AS (
    SELECT
        a.code || ' ' || a.currency AS name,
        f.sum_minor = coalesce(sum(e.amount_minor), 0) AND f.entry_count = count(e.amount_minor) AS is_good
    FROM ledger_folds AS f
    JOIN ledger_accounts AS a ON a.org_id = f.org_id AND a.id = f.account_id
    LEFT JOIN ledger_entries AS e
        ON e.org_id = f.org_id AND e.account_id = f.account_id AND e.transaction_id < f.folded_before
    WHERE f.org_id = $1 GROUP BY f.org_id, f.account_id, a.code, a.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: transit_is_in_flight
-- What is in transit is what transfers have debited and not yet credited or given back.
WITH flying AS (
    SELECT t.currency, sum(t.amount_minor) AS amount FROM transfers AS t
    WHERE t.org_id = $1 AND t.status NOT IN ('COMPLETED', 'FAILED') GROUP BY t.currency
), booked AS (
    SELECT a.currency, -coalesce(sum(e.amount_minor), 0) AS held
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code = 'transit' GROUP BY a.org_id, a.id
), checked AS (
    SELECT
        'transit ' || coalesce(f.currency, b.currency) AS name,
        coalesce(f.amount, 0) = coalesce(b.held, 0) AS is_good
    FROM flying AS f FULL JOIN booked AS b ON b.currency = f.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: transfers_are_booked
-- Each transfer is booked on its wallets as far as it came, with its amount, and no other is.
WITH steps AS (
    SELECT
        'transfer_debited' AS kind, t.id, t.from_wallet_id AS wallet_id, t.amount_minor AS amount, t.currency
    FROM transfers AS t WHERE t.org_id = $1
    UNION ALL
    SELECT 'transfer_credited', t.id, t.to_wallet_id, -t.amount_minor, t.currency
    FROM transfers AS t WHERE t.org_id = $1 AND t.status = 'COMPLETED'
    UNION ALL
    SELECT 'transfer_refunded', t.id, t.from_wallet_id, -t.amount_minor, t.currency
    FROM transfers AS t WHERE t.org_id = $1 AND t.status = 'FAILED'
), booked AS (
    SELECT p.kind, p.source_id, a.code, e.amount_minor AS amount, e.currency
    FROM ledger_transactions AS p
    JOIN ledger_entries AS e ON e.org_id = p.org_id AND e.transaction_id = p.id
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    WHERE
        p.org_id = $1 AND p.kind IN ('transfer_debited', 'transfer_credited', 'transfer_refunded')
        AND a.code <> 'transit'
), checked AS (
    SELECT
        coalesce('txn_' || s.id, b.source_id) AS name,
        b.code = 'wallet:wal_' || s.wallet_id AND b.amount = s.amount AND b.currency = s.currency AS is_good
    FROM steps AS s FULL JOIN booked AS b ON b.kind = s.kind AND b.source_id = 'txn_' || s.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(DISTINCT c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: held_matches_holds
-- What a wallet's account keeps as held is what its open holds set aside; no other account holds any.
WITH held AS (
    SELECT h.wallet_id, sum(h.amount_minor) AS total FROM holds AS h
    WHERE h.org_id = $1 AND h.status = 'open' GROUP BY h.wallet_id
), checked AS (
    SELECT coalesce('wal_' || w.id, a.code) AS name, a.held_minor = coalesce(h.total, 0) AS is_good
    FROM ledger_accounts AS a
    LEFT JOIN wallets AS w ON w.org_id = a.org_id AND w.account_id = a.id
    LEFT JOIN held AS h ON h.wallet_id = w.id
    WHERE a.org_id = $1 AND (w.id IS NOT NULL OR a.held_minor <> 0)
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: wallets_match_accounts
-- A wallet's account is a strict one of its own, in its currency, closed when and while it is.
WITH kept AS (
    SELECT a.* FROM ledger_accounts AS a WHERE a.org_id = $1 AND a.code LIKE 'wallet:%'
), wanted AS (
    SELECT w.* FROM wallets AS w WHERE w.org_id = $1
), checked AS (
    SELECT
        coalesce('wal_' || w.id, a.code) AS name,
        a.code = 'wallet:wal_' || w.id AND a.currency = w.currency AND a.floor_minor = 0
        AND (a.closed_at IS NULL) = (w.closed_at IS NULL) AS is_good
    FROM wanted AS w FULL JOIN kept AS a ON a.id = w.account_id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: changes_are_told
-- Every resource has told events one to its sequence, and the last one shows its version.
WITH resources AS (
    SELECT 'organization' AS type, o.org_id AS id, o.sequence, o.version FROM organizations AS o
    WHERE o.org_id = $1
    UNION ALL SELECT 'member', m.id, m.sequence, m.version FROM members AS m WHERE m.org_id = $1
    UNION ALL SELECT 'api_key', k.id, k.sequence, k.version FROM api_keys AS k WHERE k.org_id = $1
    UNION ALL SELECT 'customer', c.id, c.sequence, c.version FROM customers AS c WHERE c.org_id = $1
    UNION ALL SELECT 'plan', p.id, p.sequence, p.version FROM plans AS p WHERE p.org_id = $1
    UNION ALL SELECT 'meter', m.id, m.sequence, m.version FROM meters AS m WHERE m.org_id = $1
    UNION ALL
    SELECT 'subscription', s.id, s.sequence, s.version FROM subscriptions AS s WHERE s.org_id = $1
    UNION ALL SELECT 'coupon', c.id, c.sequence, c.version FROM coupons AS c WHERE c.org_id = $1
    UNION ALL SELECT 'tax_rate', r.id, r.sequence, r.version FROM tax_rates AS r WHERE r.org_id = $1
    UNION ALL SELECT 'credit_note', n.id, n.sequence, n.version FROM credit_notes AS n WHERE n.org_id = $1
    UNION ALL SELECT 'import', m.id, m.sequence, m.version FROM imports AS m WHERE m.org_id = $1
    UNION ALL SELECT 'usage', u.id, u.sequence, u.version FROM usage_aggregates AS u WHERE u.org_id = $1
    UNION ALL SELECT 'invoice', i.id, i.sequence, i.version FROM invoices AS i WHERE i.org_id = $1
    UNION ALL
    SELECT 'document_settings', d.id, d.sequence, d.version FROM document_settings AS d WHERE d.org_id = $1
    UNION ALL
    SELECT 'recurring_invoice', r.id, r.sequence, r.version FROM recurring_invoices AS r WHERE r.org_id = $1
    UNION ALL SELECT 'dunning', d.id, d.sequence, d.version FROM dunning_cases AS d WHERE d.org_id = $1
    UNION ALL SELECT 'payment', p.id, p.sequence, p.version FROM payments AS p WHERE p.org_id = $1
    UNION ALL SELECT 'refund', f.id, f.sequence, f.version FROM refunds AS f WHERE f.org_id = $1
    UNION ALL SELECT 'dispute', d.id, d.sequence, d.version FROM disputes AS d WHERE d.org_id = $1
    UNION ALL
    SELECT 'payment_method', t.id, t.sequence, t.version FROM payment_methods AS t WHERE t.org_id = $1
    UNION ALL SELECT 'payout', o.id, o.sequence, o.version FROM payouts AS o WHERE o.org_id = $1
    UNION ALL SELECT 'wallet', w.id, w.sequence, w.version FROM wallets AS w WHERE w.org_id = $1
    UNION ALL SELECT 'hold', h.id, h.sequence, h.version FROM holds AS h WHERE h.org_id = $1
    UNION ALL SELECT 'transaction', t.id, t.sequence, t.version FROM transfers AS t WHERE t.org_id = $1
    UNION ALL SELECT 'test_clock', c.id, c.sequence, c.version FROM test_clocks AS c WHERE c.org_id = $1
    UNION ALL
    SELECT 'webhook_subscription', w.id, w.sequence, w.version FROM webhook_subscriptions AS w
    WHERE w.org_id = $1
    UNION ALL
    SELECT 'audit', k.id, k.sequence, k.version FROM audit_checkpoints AS k
    WHERE k.org_id = $1
), told AS (
    SELECT
        e.resource_type, e.resource_id, count(*) AS held, count(DISTINCT e.sequence) AS numbers,
        min(e.sequence) AS lowest, max(e.sequence) AS highest,
        max((e.snapshot ->> 'version')::integer) AS version
    FROM events AS e WHERE e.org_id = $1 GROUP BY e.resource_type, e.resource_id
), checked AS (
    SELECT
        coalesce(r.type, t.resource_type) || ' ' || coalesce(r.id, t.resource_id) AS name,
        CASE
            -- A deleted draft leaves its history behind.
            WHEN r.id IS NULL THEN t.resource_type = 'invoice'
            -- What was archived is told elsewhere.
            WHEN t.resource_id IS NULL THEN a.has_archive
            ELSE (t.lowest = 1 OR a.has_archive) AND t.highest = r.sequence
                AND t.held = r.sequence - t.lowest + 1 AND t.numbers = t.held AND t.version = r.version
        END AS is_good
    FROM resources AS r
    FULL JOIN told AS t ON t.resource_type = r.type AND t.resource_id = r.id
    CROSS JOIN (
        SELECT EXISTS (SELECT 1 FROM event_archives AS k WHERE k.org_id = $1) AS has_archive
    ) AS a
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: days_match_usage
-- What a day of usage came to is what its events add up to, in every way a meter may look at them.
WITH summed AS (
    SELECT
        e.subscription_id, e.meter_id, e.day, count(*) AS event_count, sum(e.value) AS total,
        max(e.value) AS greatest, count(DISTINCT e.distinct_value) AS distinct_values,
        (array_agg(e.value ORDER BY e.occurred_at DESC, e.idempotency_key DESC))[1] AS latest
    FROM usage_events AS e WHERE e.org_id = $1 GROUP BY e.subscription_id, e.meter_id, e.day
), told_apart AS (
    SELECT v.subscription_id, v.meter_id, v.day, count(*) AS distinct_values
    FROM usage_values AS v WHERE v.org_id = $1 GROUP BY v.subscription_id, v.meter_id, v.day
), checked AS (
    SELECT
        'sub_' || coalesce(d.subscription_id, s.subscription_id) || ' ' || coalesce(d.day, s.day)
        AS name,
        (d.event_count, d.total, d.greatest, d.latest) = (s.event_count, s.total, s.greatest, s.latest)
        AND coalesce(t.distinct_values, 0) = s.distinct_values AS is_good
    FROM (SELECT * FROM usage_days AS k WHERE k.org_id = $1) AS d
    FULL JOIN summed AS s
        ON s.subscription_id = d.subscription_id AND s.meter_id = d.meter_id AND s.day = d.day
    LEFT JOIN told_apart AS t
        ON t.subscription_id = s.subscription_id AND t.meter_id = s.meter_id AND t.day = s.day
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: kept_links
-- The chain's links with the events they cover, in order of position; the event may be gone.
SELECT
    s.position, s.event_id, s.hash,
    e.id, e.transaction_id::text AS transaction_id, e.type, e.payload_version, e.is_public, e.resource_type,
    e.resource_id, e.sequence, e.actor, e.reason, e.request_id, e.occurred_at, e.recorded_at,
    e.snapshot::text AS snapshot, e.previous::text AS previous, e.address, e.personal AS apart,
    e.id IS NULL AND sec.is_archived(s.org_id, s.event_id) AS is_archived,
    CASE
        WHEN e.personal_digest IS NOT NULL
            THEN sec.personal_word(e.org_id, e.resource_id, e.personal, e.personal_digest)
    END AS personal
FROM event_seals AS s
LEFT JOIN events AS e ON e.org_id = s.org_id AND e.id = s.event_id
WHERE s.org_id = $1
ORDER BY s.position;

-- name: passed_over
-- Events that lie before the chain's head and are not in the chain: somebody put them there.
WITH head AS MATERIALIZED (
    SELECT h.transaction_id, h.event_id FROM event_seals AS h
    WHERE h.org_id = $1 ORDER BY h.position DESC LIMIT 1
)
SELECT 'evt_' || e.id AS name FROM events AS e
LEFT JOIN event_seals AS s ON s.org_id = e.org_id AND s.event_id = e.id
WHERE
    e.org_id = $1 AND s.event_id IS NULL
    AND (e.transaction_id, e.id) <= (
        (SELECT head.transaction_id FROM head), (SELECT head.event_id FROM head)
    )
ORDER BY e.id LIMIT 100;

-- name: kept_hashes
-- The hashes of the chain at these positions.
SELECT position, hash FROM event_seals WHERE org_id = $1 AND position = ANY($2::bigint[]);

-- name: stretch_of_links
-- The same for a part of the chain, from after a position on.
SELECT
    s.position, s.event_id, s.hash,
    e.id, e.transaction_id::text AS transaction_id, e.type, e.payload_version, e.is_public, e.resource_type,
    e.resource_id, e.sequence, e.actor, e.reason, e.request_id, e.occurred_at, e.recorded_at,
    e.snapshot::text AS snapshot, e.previous::text AS previous, e.address, e.personal AS apart,
    e.id IS NULL AND sec.is_archived(s.org_id, s.event_id) AS is_archived,
    CASE
        WHEN e.personal_digest IS NOT NULL
            THEN sec.personal_word(e.org_id, e.resource_id, e.personal, e.personal_digest)
    END AS personal
FROM event_seals AS s
LEFT JOIN events AS e ON e.org_id = s.org_id AND e.id = s.event_id
WHERE s.org_id = $1 AND s.position > $2
ORDER BY s.position LIMIT $3;

-- name: passed_over_between
-- Events that lie between two links of the chain and are not in it: somebody put them there.
SELECT 'evt_' || e.id AS name FROM events AS e
LEFT JOIN event_seals AS s ON s.org_id = e.org_id AND s.event_id = e.id
WHERE
    e.org_id = $1 AND s.event_id IS NULL
    AND (e.transaction_id, e.id) > (
        coalesce(
            (SELECT f.transaction_id FROM event_seals AS f WHERE f.org_id = $1 AND f.position = $2), '0'
        ),
        coalesce(
            (SELECT f.event_id FROM event_seals AS f WHERE f.org_id = $1 AND f.position = $2),
            '00000000-0000-0000-0000-000000000000'
        )
    )
    AND (e.transaction_id, e.id) <= (
        (SELECT l.transaction_id FROM event_seals AS l WHERE l.org_id = $1 AND l.position = $3),
        (SELECT l.event_id FROM event_seals AS l WHERE l.org_id = $1 AND l.position = $3)
    )
ORDER BY e.transaction_id, e.id LIMIT 100;

-- name: last_position
-- Where the chain ends.
SELECT coalesce(max(position), 0) FROM event_seals WHERE org_id = $1;

-- name: links_of_month
-- The links whose events were told in a stretch of time, in order of their ids, after one of them.
SELECT
    s.position, s.event_id, s.hash,
    e.id, e.transaction_id::text AS transaction_id, e.type, e.payload_version, e.is_public, e.resource_type,
    e.resource_id, e.sequence, e.actor, e.reason, e.request_id, e.occurred_at, e.recorded_at,
    e.snapshot::text AS snapshot, e.previous::text AS previous, e.address, e.personal AS apart,
    false AS is_archived,
    CASE
        WHEN e.personal_digest IS NOT NULL
            THEN sec.personal_word(e.org_id, e.resource_id, e.personal, e.personal_digest)
    END AS personal
FROM events AS e
JOIN event_seals AS s ON s.org_id = e.org_id AND s.event_id = e.id
WHERE
    e.org_id = $1 AND e.id >= sec.first_id_at($2) AND e.id < sec.first_id_at($3)
    AND ($4::uuid IS NULL OR e.id > $4)
ORDER BY e.id LIMIT $5;
