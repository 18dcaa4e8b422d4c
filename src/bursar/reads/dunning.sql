-- name: dunning_case
-- The one case an invoice has or had.
SELECT * FROM dunning_cases WHERE org_id = $1 AND invoice_id = $2;

-- name: dunning_cases
-- A window on the cases, newest first.
SELECT * FROM dunning_cases
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::uuid IS NULL OR customer_id = $5)
    AND ($6::boolean IS NULL OR (resolved_at IS NOT NULL) = $6)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_dunning_cases
-- How many cases the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM dunning_cases
    WHERE org_id = $1 AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::boolean IS NULL OR (resolved_at IS NOT NULL) = $4)
    LIMIT $2
) AS counted;
