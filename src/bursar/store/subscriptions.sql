-- name: insert_subscription
-- A new subscription.
INSERT INTO subscriptions (
    org_id, id, customer_id, started_at, created_at, version, sequence, updated_at, plan_id,
    plan_version, quantity, agreed_since_at, status, anchor_day, anchored_at, period_start_at,
    period_end_at, charged_plan_id, charged_plan_version, charged_quantity, scheduled_plan_id,
    scheduled_plan_version, scheduled_quantity, coupons, trial_end_at, cancel_at_period_end,
    cancel_reason, canceled_at, paused_at, ended_at, metadata
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31
);

-- name: update_subscription
-- Replaces exactly the version before; customer and start are what was agreed to and stay.
UPDATE subscriptions SET
    version = $6, sequence = $7, updated_at = $8, plan_id = $9, plan_version = $10, quantity = $11,
    agreed_since_at = $12, status = $13, anchor_day = $14, anchored_at = $15, period_start_at = $16,
    period_end_at = $17, charged_plan_id = $18, charged_plan_version = $19, charged_quantity = $20,
    scheduled_plan_id = $21, scheduled_plan_version = $22, scheduled_quantity = $23, coupons = $24,
    trial_end_at = $25, cancel_at_period_end = $26, cancel_reason = $27, canceled_at = $28,
    paused_at = $29, ended_at = $30, metadata = $31
WHERE
    org_id = $1 AND id = $2 AND version = $6 - 1 AND created_at = $5 AND customer_id = $3
    AND started_at = $4;

-- name: note_terms
-- What holds from an instant on; of two changes at one instant the later one holds.
INSERT INTO subscription_terms (
    org_id, subscription_id, since_at, plan_id, plan_version, quantity
) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (org_id, subscription_id, since_at) DO UPDATE SET
    plan_id = excluded.plan_id, plan_version = excluded.plan_version, quantity = excluded.quantity
WHERE
    (subscription_terms.plan_id, subscription_terms.plan_version, subscription_terms.quantity)
    <> (excluded.plan_id, excluded.plan_version, excluded.quantity);

-- name: get_subscription
-- One subscription of the bound organization.
SELECT * FROM subscriptions WHERE org_id = $1 AND id = $2;

-- name: running_subscription
-- The customer's running subscription to a plan, if there is one.
SELECT id FROM subscriptions
WHERE org_id = $1 AND customer_id = $2 AND plan_id = $3 AND status <> 'canceled';

-- name: count_running
-- How many subscriptions of a customer have not ended.
SELECT count(*) FROM subscriptions
WHERE
    org_id = $1 AND customer_id = $2
    AND status IN ('trialing', 'active', 'past_due', 'paused');
