-- name: hold_lane
-- The endpoint's lane, locked, always before the endpoint itself; with its health.
SELECT * FROM webhook_lanes WHERE org_id = $1 AND subscription_id = $2 FOR UPDATE;

-- name: get_subscription
-- One endpoint of the bound organization, locked.
SELECT * FROM webhook_subscriptions WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: count_subscriptions
-- How many endpoints the organization has.
SELECT count(*) FROM webhook_subscriptions WHERE org_id = $1 AND deleted_at IS NULL;

-- name: insert_subscription
-- A new endpoint; its secret is sealed.
INSERT INTO webhook_subscriptions (
    org_id, id, url, event_types, description, secret_sealed, former_secret_sealed,
    former_secret_until, is_active, paused_at, off_reason, off_at, deleted_at,
    version, sequence, created_at, updated_at, retry_delays_seconds, has_body_signature
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: update_subscription
-- Replaces exactly the version before.
UPDATE webhook_subscriptions SET
    url = $3, event_types = $4, description = $5, secret_sealed = $6, former_secret_sealed = $7,
    former_secret_until = $8, is_active = $9, paused_at = $10, off_reason = $11, off_at = $12,
    deleted_at = $13, version = $14, sequence = $15, updated_at = $17, retry_delays_seconds = $18,
    has_body_signature = $19
WHERE org_id = $1 AND id = $2 AND version = $14 - 1 AND created_at = $16;

-- name: open_or_close_lane
-- A lane is open exactly while its endpoint may be sent to.
UPDATE webhook_lanes SET is_open = $3 WHERE org_id = $1 AND subscription_id = $2;

-- name: look_again
-- The lane is looked at again; its row is held.
SELECT sec.look_again($1, $2);

-- name: keep_health
-- The endpoint's health, and the lane looked at again; its row is held.
SELECT sec.after_attempt($1, $2, NULL, $3, $4, $5, $6, $7);

-- name: give_up_deliveries
-- Nothing is sent to an endpoint that is gone.
UPDATE webhook_deliveries SET
    status = 'failed', next_attempt_at = NULL, lease_token = NULL, lease_until = NULL, is_behind = false
WHERE org_id = $1 AND subscription_id = $2 AND status = 'pending';

-- name: bring_back
-- The endpoint is back: what it failed to take since then is taken up again, and what waits goes now.
SELECT sec.bring_back($1, $2, $3, $4);

-- name: replay_events
-- Sends a stretch of the log again, oldest first, so many a second.
SELECT taken, reached_at FROM sec.replay_events($1, $2, $3, $4, $5, $6, $7, $8);
