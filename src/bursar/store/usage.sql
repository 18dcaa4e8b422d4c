-- name: counted_subscriptions
-- When these subscriptions run, in which zone, and the meters of what they agreed to.
WITH asked AS MATERIALIZED (
    SELECT s.id, s.started_at, s.ended_at, s.plan_id, s.plan_version FROM subscriptions AS s
    WHERE s.org_id = $1 AND s.id = ANY($2::text::uuid[])
), agreed AS MATERIALIZED (
    SELECT
        v.plan_id, v.plan_version,
        array_to_string(
            ARRAY(
                SELECT p.meter_id FROM prices AS p
                WHERE
                    p.org_id = $1 AND p.plan_id = v.plan_id AND p.plan_version = v.plan_version
                    AND p.meter_id IS NOT NULL
                ORDER BY p.position
            ), ' '
        ) AS meter_ids
    FROM (SELECT DISTINCT a.plan_id, a.plan_version FROM asked AS a) AS v
)
SELECT a.id, a.started_at, a.ended_at, o.timezone, g.meter_ids
FROM asked AS a
JOIN agreed AS g ON g.plan_id = a.plan_id AND g.plan_version = a.plan_version
JOIN organizations AS o ON o.org_id = $1;

-- name: counting_meters
-- These meters, where they exist.
SELECT * FROM meters WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: add_events
-- New events and what they add up to, in one statement; an event with a known key changes nothing.
-- Tells the keys of those that are new; null when all of them are.
WITH given AS (
    SELECT *
    FROM unnest(
        $2::text::text[], $3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::bigint[],
        $7::text::timestamptz[], $8::text::date[], $9::text::jsonb[], $10::text::bigint[],
        $11::text::text[]
    ) AS g (
        idempotency_key, id, subscription_id, meter_id, quantity, occurred_at, day, properties,
        value, distinct_value
    )
), fresh AS (
    INSERT INTO usage_events (
        org_id, idempotency_key, id, subscription_id, meter_id, quantity, occurred_at, day,
        properties, value, distinct_value, recorded_at
    )
    SELECT
        $1, g.idempotency_key, g.id, g.subscription_id, g.meter_id, g.quantity, g.occurred_at,
        g.day, g.properties, g.value, g.distinct_value, $12
    FROM given AS g
    ON CONFLICT (org_id, idempotency_key) DO NOTHING
    RETURNING
        idempotency_key, subscription_id, meter_id, occurred_at, day, value, distinct_value
), counted AS (
    INSERT INTO usage_days AS d (
        org_id, subscription_id, meter_id, day, event_count, total, greatest, latest, latest_at,
        latest_key
    )
    SELECT
        $1, f.subscription_id, f.meter_id, f.day, count(*), sum(f.value), max(f.value),
        (array_agg(f.value ORDER BY f.occurred_at DESC, f.idempotency_key DESC))[1],
        max(f.occurred_at),
        (array_agg(f.idempotency_key ORDER BY f.occurred_at DESC, f.idempotency_key DESC))[1]
    FROM fresh AS f
    GROUP BY f.subscription_id, f.meter_id, f.day
    ORDER BY f.subscription_id, f.meter_id, f.day
    ON CONFLICT (org_id, subscription_id, meter_id, day) DO UPDATE SET
        event_count = d.event_count + excluded.event_count,
        total = d.total + excluded.total,
        greatest = greatest(d.greatest, excluded.greatest),
        latest = CASE
            WHEN (excluded.latest_at, excluded.latest_key) > (d.latest_at, d.latest_key)
                THEN excluded.latest ELSE d.latest
        END,
        latest_key = CASE
            WHEN (excluded.latest_at, excluded.latest_key) > (d.latest_at, d.latest_key)
                THEN excluded.latest_key ELSE d.latest_key
        END,
        latest_at = greatest(d.latest_at, excluded.latest_at),
        is_settled = false
), told_apart AS (
    INSERT INTO usage_values (org_id, subscription_id, meter_id, day, value)
    SELECT DISTINCT $1::uuid, f.subscription_id, f.meter_id, f.day, f.distinct_value
    FROM fresh AS f WHERE f.distinct_value IS NOT NULL
    ORDER BY f.subscription_id, f.meter_id, f.day, f.distinct_value
    ON CONFLICT (org_id, subscription_id, meter_id, day, value) DO NOTHING
)
SELECT CASE
    WHEN count(*) < $13 THEN coalesce(array_agg(f.idempotency_key), '{}')
END
FROM fresh AS f;

-- name: events_of_keys
-- The events that have these keys; each key is looked for in its own partition alone.
SELECT e.* FROM unnest($2::text[]) AS k (idempotency_key)
CROSS JOIN LATERAL (
    SELECT * FROM usage_events AS u
    WHERE u.org_id = $1 AND u.idempotency_key = k.idempotency_key LIMIT 1
) AS e;

-- name: told_thresholds
-- The thresholds of a meter that were told of in a period of a subscription.
SELECT threshold FROM usage_aggregates
WHERE org_id = $1 AND subscription_id = $2 AND meter_id = $3 AND period_start_at = $4;

-- name: insert_aggregate
-- A threshold that was reached, unless it was told of in this period.
INSERT INTO usage_aggregates (
    org_id, id, subscription_id, meter_id, period_start_at, period_end_at, threshold, quantity,
    version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (org_id, subscription_id, meter_id, period_start_at, threshold) DO NOTHING;
