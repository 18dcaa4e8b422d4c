-- name: agreed_subscription
-- One subscription of the bound organization, with the zone, currency and interval it runs by.
SELECT s.*, o.timezone, p.currency, p.billing_interval FROM subscriptions AS s
JOIN organizations AS o ON o.org_id = s.org_id
JOIN plans AS p ON p.org_id = s.org_id AND p.id = s.plan_id
WHERE s.org_id = $1 AND s.id = $2;

-- name: metered_prices
-- The prices of a plan's version that count usage, in their order.
SELECT * FROM prices
WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 AND meter_id IS NOT NULL
ORDER BY position;

-- name: meters_of_subscription
-- The meters that the subscription agreed to, and those it was counted by without.
SELECT m.* FROM meters AS m
WHERE
    m.org_id = $1 AND m.id IN (
        SELECT p.meter_id FROM subscriptions AS s
        JOIN prices AS p
            ON p.org_id = s.org_id AND p.plan_id = s.plan_id AND p.plan_version = s.plan_version
        WHERE s.org_id = $1 AND s.id = $2
        UNION ALL
        SELECT d.meter_id FROM usage_days AS d WHERE d.org_id = $1 AND d.subscription_id = $2
    );

-- name: tallies_of_days
-- What the days from one until before another add up to, by meter.
SELECT
    d.meter_id, sum(d.event_count)::bigint AS event_count, sum(d.total) AS total,
    max(d.greatest) AS greatest,
    (array_agg(d.latest ORDER BY d.latest_at DESC, d.latest_key DESC))[1] AS latest,
    (
        SELECT count(DISTINCT v.value) FROM usage_values AS v
        WHERE
            v.org_id = $1 AND v.subscription_id = $2 AND v.meter_id = d.meter_id
            AND v.day >= $3 AND v.day < $4
    ) AS distinct_values
FROM usage_days AS d
WHERE d.org_id = $1 AND d.subscription_id = $2 AND d.day >= $3 AND d.day < $4
GROUP BY d.meter_id;

-- name: tallies_of_events
-- What the events of a window add up to, by meter.
SELECT
    e.meter_id, count(*) AS event_count, sum(e.value) AS total, max(e.value) AS greatest,
    (array_agg(e.value ORDER BY e.occurred_at DESC, e.idempotency_key DESC))[1] AS latest,
    count(DISTINCT e.distinct_value) AS distinct_values
FROM usage_events AS e
WHERE e.org_id = $1 AND e.subscription_id = $2 AND e.occurred_at >= $3 AND e.occurred_at < $4
GROUP BY e.meter_id;

-- name: usage_events
-- A window on the events of a subscription, the latest to happen first.
SELECT * FROM usage_events
WHERE org_id = $1 AND subscription_id = $2
ORDER BY occurred_at DESC, idempotency_key DESC LIMIT $3 OFFSET $4;

-- name: count_usage_events
-- How many events a subscription has, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM usage_events WHERE org_id = $1 AND subscription_id = $2 LIMIT $3
) AS counted;
