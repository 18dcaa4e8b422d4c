-- name: customer
-- One customer of the bound organization; a deleted one is gone.
SELECT * FROM customers WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL;

-- name: customers_by_ids
-- Those of these customers that are not deleted.
SELECT * FROM customers WHERE org_id = $1 AND id = ANY($2::uuid[]) AND deleted_at IS NULL;

-- name: customers
-- A window on the customers that are not deleted, newest first; each filter may be absent.
SELECT * FROM customers
WHERE
    org_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR id < $2)
    AND ($5::text IS NULL OR lower(email) = lower($5))
    AND (
        $6::text IS NULL OR position(lower($6) IN lower(email)) > 0
        OR position(lower($6) IN lower(name)) > 0
    )
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at < $8)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_customers
-- How many customers the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM customers
    WHERE
        org_id = $1 AND deleted_at IS NULL
        AND ($3::text IS NULL OR lower(email) = lower($3))
        AND (
            $4::text IS NULL OR position(lower($4) IN lower(email)) > 0
            OR position(lower($4) IN lower(name)) > 0
        )
        AND ($5::timestamptz IS NULL OR created_at >= $5)
        AND ($6::timestamptz IS NULL OR created_at < $6)
    LIMIT $2
) AS counted;
