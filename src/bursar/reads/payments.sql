-- name: payment
-- One attempt of the bound organization.
SELECT * FROM payments WHERE org_id = $1 AND id = $2;

-- name: payments
-- A window on the attempts, newest first; each filter may be absent.
SELECT * FROM payments
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR invoice_id = $5)
    AND ($6::uuid IS NULL OR customer_id = $6)
    AND ($7::text[] IS NULL OR status = ANY($7))
    AND ($8::timestamptz IS NULL OR created_at >= $8)
    AND ($9::timestamptz IS NULL OR created_at < $9)
    AND ($10::uuid IS NULL OR wallet_id = $10)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_payments
-- How many attempts the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM payments
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR invoice_id = $3)
        AND ($4::uuid IS NULL OR customer_id = $4)
        AND ($5::text[] IS NULL OR status = ANY($5))
        AND ($6::timestamptz IS NULL OR created_at >= $6)
        AND ($7::timestamptz IS NULL OR created_at < $7)
        AND ($8::uuid IS NULL OR wallet_id = $8)
    LIMIT $2
) AS counted;
