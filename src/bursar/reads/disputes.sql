-- name: dispute
-- One dispute of the bound organization.
SELECT * FROM disputes WHERE org_id = $1 AND id = $2;

-- name: disputes
-- A window on the disputes, newest first; each filter may be absent.
SELECT * FROM disputes
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR payment_id = $5)
    AND ($6::text[] IS NULL OR status = ANY($6))
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at < $8)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_disputes
-- How many disputes the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM disputes
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR payment_id = $3)
        AND ($4::text[] IS NULL OR status = ANY($4))
        AND ($5::timestamptz IS NULL OR created_at >= $5)
        AND ($6::timestamptz IS NULL OR created_at < $6)
    LIMIT $2
) AS counted;
