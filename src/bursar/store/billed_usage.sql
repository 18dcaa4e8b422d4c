-- name: lock_days
-- Days of usage within some windows stay as they are until we end; whoever reports usage of them waits.
SELECT d.subscription_id, d.meter_id, d.day FROM usage_days AS d
JOIN unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[]) AS w (subscription_id, meter_id, first, after)
    ON w.subscription_id = d.subscription_id AND w.meter_id = d.meter_id
WHERE d.org_id = $1 AND d.day >= w.first AND d.day < w.after
ORDER BY d.subscription_id, d.meter_id, d.day
FOR UPDATE OF d;

-- name: tallies_of_days
-- What the days of some windows add up to; different values are counted where a window asks for that.
SELECT
    w.place, sum(d.event_count)::bigint AS event_count, sum(d.total) AS total,
    max(d.greatest) AS greatest,
    (array_agg(d.latest ORDER BY d.latest_at DESC, d.latest_key DESC))[1] AS latest,
    CASE WHEN w.tells_apart THEN (
        SELECT count(DISTINCT v.value) FROM usage_values AS v
        WHERE
            v.org_id = $1 AND v.subscription_id = w.subscription_id AND v.meter_id = w.meter_id
            AND v.day >= w.first AND v.day < w.after
    ) ELSE 0 END AS distinct_values
FROM unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[], $6::boolean[]) WITH ORDINALITY
AS w (subscription_id, meter_id, first, after, tells_apart, place)
JOIN usage_days AS d
    ON d.subscription_id = w.subscription_id AND d.meter_id = w.meter_id
    AND d.day >= w.first AND d.day < w.after
WHERE d.org_id = $1
GROUP BY w.place, w.subscription_id, w.meter_id, w.first, w.after, w.tells_apart;

-- name: tally_of_events
-- What the events of a meter within a window add up to, where it has not whole days only.
SELECT
    count(*) AS event_count, coalesce(sum(e.value), 0) AS total, coalesce(max(e.value), 0) AS greatest,
    coalesce(
        (array_agg(e.value ORDER BY e.occurred_at DESC, e.idempotency_key DESC))[1], 0
    ) AS latest,
    count(DISTINCT e.distinct_value) AS distinct_values
FROM usage_events AS e
WHERE
    e.org_id = $1 AND e.subscription_id = $2 AND e.meter_id = $3 AND e.occurred_at >= $4
    AND e.occurred_at < $5;

-- name: settle_days
-- Invoices know all of these days now.
UPDATE usage_days AS d SET is_settled = true
FROM unnest($2::uuid[], $3::uuid[], $4::date[]) AS s (subscription_id, meter_id, day)
WHERE
    d.org_id = $1 AND d.subscription_id = s.subscription_id AND d.meter_id = s.meter_id
    AND d.day = s.day AND NOT d.is_settled
    AND d.subscription_id = ANY(ARRAY(SELECT DISTINCT o.id FROM unnest($2::uuid[]) AS o (id)));

-- name: late_periods
-- Periods that were billed for usage, and have days since then that no invoice knows all of.
SELECT DISTINCT b.*
FROM unnest($2::uuid[], $3::uuid[], $4::date[]) AS c (subscription_id, meter_id, last)
JOIN usage_days AS d
    ON d.subscription_id = c.subscription_id AND d.meter_id = c.meter_id AND d.day <= c.last
JOIN billed_periods AS b
    ON b.org_id = d.org_id AND b.subscription_id = d.subscription_id AND b.meter_id = d.meter_id
    AND b.start_at < (d.day + 1)::timestamp AT TIME ZONE $5
    AND b.end_at > d.day::timestamp AT TIME ZONE $5
WHERE
    d.org_id = $1 AND NOT d.is_settled AND b.release_id = '00000000-0000-0000-0000-000000000000'
ORDER BY b.subscription_id, b.meter_id, b.start_at;

-- name: prices_by_id
-- Prices.
SELECT * FROM prices WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: late_events
-- The events of a billed period that were reported after it was billed, in the order they came.
SELECT id FROM usage_events
WHERE
    org_id = $1 AND subscription_id = $2 AND meter_id = $3 AND occurred_at >= $4 AND occurred_at < $5
    AND recorded_at > $6
ORDER BY recorded_at, id;
