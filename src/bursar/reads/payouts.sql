-- name: payout
-- One payout of the bound organization.
SELECT * FROM payouts WHERE org_id = $1 AND id = $2;

-- name: payouts
-- A window on the payouts, newest first; each filter may be absent.
SELECT * FROM payouts
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::text[] IS NULL OR status = ANY($5))
    AND ($6::timestamptz IS NULL OR created_at >= $6)
    AND ($7::timestamptz IS NULL OR created_at < $7)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_payouts
-- How many payouts the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM payouts
    WHERE
        org_id = $1
        AND ($3::text[] IS NULL OR status = ANY($3))
        AND ($4::timestamptz IS NULL OR created_at >= $4)
        AND ($5::timestamptz IS NULL OR created_at < $5)
    LIMIT $2
) AS counted;
