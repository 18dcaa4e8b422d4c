-- name: get_subscription
-- One endpoint of the bound organization, locked.
SELECT * FROM webhook_subscriptions WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: count_subscriptions
-- How many endpoints the organization has.
SELECT count(*) FROM webhook_subscriptions WHERE org_id = $1 AND deleted_at IS NULL;

-- name: insert_subscription
-- A new endpoint; its secret is sealed.
INSERT INTO webhook_subscriptions (
    org_id, id, url, event_types, description, secret_sealed, is_active, deleted_at,
    version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: update_subscription
-- Replaces exactly the version before.
UPDATE webhook_subscriptions SET
    url = $3, event_types = $4, description = $5, secret_sealed = $6, is_active = $7,
    deleted_at = $8, version = $9, sequence = $10, updated_at = $12
WHERE org_id = $1 AND id = $2 AND version = $9 - 1 AND created_at = $11;

-- name: give_up_deliveries
-- Nothing is sent to an endpoint that is gone.
UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, lease_token = NULL
WHERE org_id = $1 AND subscription_id = $2 AND status = 'pending';
