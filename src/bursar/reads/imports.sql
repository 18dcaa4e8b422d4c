-- name: import_one
-- One import of the bound organization.
SELECT * FROM imports WHERE org_id = $1 AND id = $2;

-- name: imports
-- A window on the imports, newest first.
SELECT * FROM imports
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::text[] IS NULL OR kind = ANY($5))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_imports
-- How many rows the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM imports WHERE org_id = $1 AND ($3::text[] IS NULL OR kind = ANY($3)) LIMIT $2
) AS counted;
