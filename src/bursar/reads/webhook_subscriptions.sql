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
-- A window on what went or goes to one endpoint, newest first; the status may be left open.
SELECT * FROM webhook_deliveries
WHERE
    org_id = $1 AND subscription_id = $5 AND ($2::uuid IS NULL OR id < $2)
    AND ($6::text[] IS NULL OR status = ANY($6))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_deliveries
-- How many deliveries the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM webhook_deliveries
    WHERE org_id = $1 AND subscription_id = $3 AND ($4::text[] IS NULL OR status = ANY($4))
    LIMIT $2
) AS counted;

-- name: attempts
-- The tries of some deliveries, in their order.
SELECT * FROM webhook_attempts WHERE org_id = $1 AND delivery_id = ANY($2::uuid[])
ORDER BY delivery_id, attempt;
