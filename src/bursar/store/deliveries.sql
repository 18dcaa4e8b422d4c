-- name: get_delivery
-- A delivery this worker still leases, with its endpoint and its event as they are stored.
SELECT
    e.*, d.attempt_count, s.id AS subscription_id, s.url, s.secret_sealed, s.is_active
FROM webhook_deliveries AS d
JOIN webhook_subscriptions AS s ON s.org_id = d.org_id AND s.id = d.subscription_id
JOIN events AS e ON e.org_id = d.org_id AND e.id = d.event_id
WHERE d.org_id = $1 AND d.id = $2 AND d.lease_token = $3 AND d.status = 'pending';

-- name: settle_delivery
-- Closes or reschedules a delivery that this worker still leases; a lost lease touches no row.
UPDATE webhook_deliveries SET
    status = $4, attempt_count = attempt_count + 1, next_attempt_at = $5, last_attempt_at = now(),
    last_status = $6, lease_token = NULL, lease_until = NULL
WHERE org_id = $1 AND id = $2 AND lease_token = $3 AND status = 'pending'
RETURNING attempt_count;

-- name: note_attempt
-- Every attempt is kept with what came back.
INSERT INTO webhook_attempts (org_id, delivery_id, attempt, duration_ms, status, failure, excerpt)
VALUES ($1, $2, $3, $4, $5, $6, $7);
