-- name: insert_subscription
-- A new subscription.
INSERT INTO subscriptions (
    org_id, id, customer_id, plan_id, plan_version, status, quantity, anchor_day, started_at,
    period_start_at, period_end_at, trial_end_at, cancel_at_period_end, canceled_at, paused_at,
    ended_at, metadata, version, sequence, created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21
);

-- name: update_subscription
-- Replaces exactly the version before; customer, anchor and start are what was agreed to and stay.
UPDATE subscriptions SET
    plan_id = $4, plan_version = $5, status = $6, quantity = $7, period_start_at = $10,
    period_end_at = $11, trial_end_at = $12, cancel_at_period_end = $13, canceled_at = $14,
    paused_at = $15, ended_at = $16, metadata = $17, version = $18, sequence = $19, updated_at = $21
WHERE
    org_id = $1 AND id = $2 AND version = $18 - 1 AND created_at = $20 AND customer_id = $3
    AND anchor_day = $8 AND started_at = $9;
