-- name: get_coupon
-- One coupon of the bound organization.
SELECT * FROM coupons WHERE org_id = $1 AND id = $2;

-- name: coupons_by_ids
-- Those of these coupons that are of the bound organization.
SELECT * FROM coupons WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: insert_coupon
-- A new coupon.
INSERT INTO coupons (
    org_id, id, status, archived_at, version, sequence, updated_at, name, percent_off,
    amount_off_minor, currency, duration, months, metadata, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: update_coupon
-- Replaces exactly the version before; what was promised stays.
UPDATE coupons SET status = $3, archived_at = $4, version = $5, sequence = $6, updated_at = $7
WHERE org_id = $1 AND id = $2 AND version = $5 - 1;
