-- name: refund
-- One refund of the bound organization.
SELECT * FROM refunds WHERE org_id = $1 AND id = $2;

-- name: refunds
-- A window on the refunds, newest first; each filter may be absent.
SELECT * FROM refunds
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR payment_id = $5)
    AND ($6::uuid IS NULL OR invoice_id = $6)
    AND ($7::uuid IS NULL OR customer_id = $7)
    AND ($8::text[] IS NULL OR status = ANY($8))
    AND ($9::timestamptz IS NULL OR created_at >= $9)
    AND ($10::timestamptz IS NULL OR created_at < $10)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_refunds
-- How many refunds the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM refunds
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR payment_id = $3)
        AND ($4::uuid IS NULL OR invoice_id = $4)
        AND ($5::uuid IS NULL OR customer_id = $5)
        AND ($6::text[] IS NULL OR status = ANY($6))
        AND ($7::timestamptz IS NULL OR created_at >= $7)
        AND ($8::timestamptz IS NULL OR created_at < $8)
    LIMIT $2
) AS counted;
