-- name: coupon
-- One coupon of the bound organization.
SELECT * FROM coupons WHERE org_id = $1 AND id = $2;

-- name: coupons
-- A window on the coupons, newest first.
SELECT * FROM coupons
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::text[] IS NULL OR status = ANY($5))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_coupons
-- How many coupons the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM coupons WHERE org_id = $1 AND ($3::text[] IS NULL OR status = ANY($3)) LIMIT $2
) AS counted;
