-- name: webhook_subscription
-- One endpoint of the bound organization; a deleted one is gone.
SELECT * FROM webhook_subscriptions WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL;

-- name: webhook_subscriptions
-- A window on the endpoints that are not deleted, newest first.
SELECT * FROM webhook_subscriptions
WHERE org_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_webhook_subscriptions
-- How many endpoints there are, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM webhook_subscriptions WHERE org_id = $1 AND deleted_at IS NULL LIMIT $2
) AS counted;

-- name: deliveries
-- A window on what went or goes to one endpoint, newest first; each filter may be absent.
SELECT * FROM webhook_deliveries
WHERE
    org_id = $1 AND subscription_id = $5 AND ($2::uuid IS NULL OR id < $2)
    AND ($6::text[] IS NULL OR status = ANY($6))
    AND ($7::text[] IS NULL OR event_type = ANY($7))
    AND ($8::uuid IS NULL OR event_id = $8)
    AND ($9::uuid IS NULL OR resource_id = $9)
    AND ($10::timestamptz IS NULL OR created_at >= $10)
    AND ($11::timestamptz IS NULL OR created_at < $11)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: delivery
-- One delivery of the bound organization.
SELECT * FROM webhook_deliveries WHERE org_id = $1 AND id = $2;

-- name: endpoint_health
-- How an endpoint is doing, and how much waits for it, counted up to a limit.
SELECT
    l.failures, l.first_failed_at, l.went_down_at, l.trials, l.held_until,
    (
        SELECT count(*) FROM (
            SELECT 1 FROM webhook_deliveries AS d
            WHERE d.org_id = $1 AND d.subscription_id = $2 AND d.status = 'pending' LIMIT $3
        ) AS counted
    ) AS waiting,
    (
        SELECT min(d.created_at) FROM webhook_deliveries AS d
        WHERE
            d.org_id = $1 AND d.subscription_id = $2 AND d.status = 'pending' AND NOT d.is_behind
    ) AS waiting_since
FROM webhook_lanes AS l WHERE l.org_id = $1 AND l.subscription_id = $2;

-- name: count_deliveries
-- How many deliveries the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM webhook_deliveries
    WHERE
        org_id = $1 AND subscription_id = $3
        AND ($4::text[] IS NULL OR status = ANY($4))
        AND ($5::text[] IS NULL OR event_type = ANY($5))
        AND ($6::uuid IS NULL OR event_id = $6)
        AND ($7::uuid IS NULL OR resource_id = $7)
        AND ($8::timestamptz IS NULL OR created_at >= $8)
        AND ($9::timestamptz IS NULL OR created_at < $9)
    LIMIT $2
) AS counted;

-- name: attempts
-- The tries of some deliveries, in their order.
SELECT * FROM webhook_attempts WHERE org_id = $1 AND delivery_id = ANY($2::uuid[])
ORDER BY delivery_id, attempt;
