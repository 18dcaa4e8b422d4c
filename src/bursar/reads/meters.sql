-- name: meter
-- One meter of the bound organization.
SELECT * FROM meters WHERE org_id = $1 AND id = $2;

-- name: meters
-- A window on the meters, newest first.
SELECT * FROM meters
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::text IS NULL OR key = $5)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_meters
-- How many meters the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM meters WHERE org_id = $1 AND ($3::text IS NULL OR key = $3) LIMIT $2
) AS counted;
