-- name: tax_rate
-- One rate of the bound organization.
SELECT * FROM tax_rates WHERE org_id = $1 AND id = $2;

-- name: tax_rates
-- A window on the rates, newest first.
SELECT * FROM tax_rates
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::text[] IS NULL OR status = ANY($5))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_tax_rates
-- How many rates the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM tax_rates WHERE org_id = $1 AND ($3::text[] IS NULL OR status = ANY($3)) LIMIT $2
) AS counted;
