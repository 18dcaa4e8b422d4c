-- name: hold_delivery
-- A delivery this worker still leases, and its endpoint's lane, locked, with its health.
SELECT l.*, d.tried, d.resource_id, s.retry_delays_seconds
FROM webhook_deliveries AS d
JOIN webhook_lanes AS l ON l.org_id = d.org_id AND l.subscription_id = d.subscription_id
JOIN webhook_subscriptions AS s ON s.org_id = d.org_id AND s.id = d.subscription_id
WHERE d.org_id = $1 AND d.id = $2 AND d.lease_token = $3 AND d.status = 'pending'
FOR UPDATE OF l;

-- name: settle_delivery
-- Closes or reschedules a delivery that this worker still leases, and keeps the attempt; a lost
-- lease touches no row.
WITH settled AS (
    UPDATE webhook_deliveries SET
        status = $4, attempt_count = attempt_count + 1, tried = tried + 1, next_attempt_at = $5,
        last_attempt_at = now(), last_status = $6, lease_token = NULL, lease_until = NULL
    WHERE org_id = $1 AND id = $2 AND lease_token = $3 AND status = 'pending'
    RETURNING org_id, id, attempt_count
)
INSERT INTO webhook_attempts (org_id, delivery_id, attempt, duration_ms, status, failure, excerpt)
SELECT s.org_id, s.id, s.attempt_count, $7, $6, $8, $9 FROM settled AS s;

-- name: after_attempt
-- The endpoint's health is kept, and its lane looked at again; its row is held.
SELECT sec.after_attempt($1, $2, $3, $4, $5, $6, $7, $8);

-- name: lane_of
-- Which endpoint a delivery goes to.
SELECT subscription_id FROM webhook_deliveries WHERE org_id = $1 AND id = $2;

-- name: retry_delivery
-- Tried now, with a schedule of its own; one that is on its way stays as it is.
UPDATE webhook_deliveries SET
    status = 'pending', next_attempt_at = now(),
    tried = CASE status WHEN 'pending' THEN tried ELSE 0 END
WHERE org_id = $1 AND id = $2 AND (lease_until IS NULL OR lease_until <= now())
RETURNING *;

-- name: get_one
-- One delivery of the bound organization.
SELECT * FROM webhook_deliveries WHERE org_id = $1 AND id = $2;

-- name: send_one
-- An event to one endpoint alone, as an event of the type that is named.
INSERT INTO webhook_deliveries (
    org_id, id, subscription_id, event_id, event_type, resource_id, sequence, status, attempt_count,
    next_attempt_at
) SELECT e.org_id, $2, $3, e.id, coalesce($5, e.type), e.resource_id, e.sequence, 'pending', 0, now()
FROM events AS e WHERE e.org_id = $1 AND e.resource_id = $3 AND e.sequence = $4
RETURNING *;

-- name: line_up
-- The first delivery of the resource that waits may go; the lane is held.
SELECT sec.line_up($1, $2, $3);

-- name: look_again
-- The lane is looked at again; its row is held.
SELECT sec.look_again($1, $2);
