-- name: get_plan
-- One plan of the bound organization.
SELECT * FROM plans WHERE org_id = $1 AND id = $2;

-- name: get_prices
-- The prices of one version, the plan's own first.
SELECT * FROM prices WHERE org_id = $1 AND plan_id = $2 AND plan_version = $3 ORDER BY position;

-- name: known_meters
-- Which of these are meters of the bound organization.
SELECT id FROM meters WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: insert_plan
-- A new plan.
INSERT INTO plans (
    org_id, id, name, description, status, currency, billing_interval, trial_days, price_version,
    metadata, archived_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: update_plan
-- Replaces exactly the version before; currency and interval are what was agreed to and stay.
UPDATE plans SET
    name = $3, description = $4, status = $5, trial_days = $8, price_version = $9, metadata = $10,
    archived_at = $11, version = $12, sequence = $13, updated_at = $15
WHERE
    org_id = $1 AND id = $2 AND version = $12 - 1 AND created_at = $14 AND currency = $6
    AND billing_interval = $7;

-- name: insert_version
-- A version of the prices, if the plan had none of this number.
INSERT INTO plan_versions (org_id, plan_id, number, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (org_id, plan_id, number) DO NOTHING;

-- name: insert_prices
-- All prices of a version at once, in their order.
INSERT INTO prices (
    org_id, plan_id, plan_version, id, position, name, meter_id, pricing_model, billing_interval,
    unit_amount, package_size, tiers
)
SELECT
    $1, $2, $3, price.id, price.position, price.name, price.meter_id, price.pricing_model,
    price.billing_interval, price.unit_amount, price.package_size, price.tiers
FROM unnest(
    $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::numeric[], $10::bigint[],
    $11::jsonb[]
) WITH ORDINALITY AS price (
    id, name, meter_id, pricing_model, billing_interval, unit_amount, package_size, tiers, position
);
