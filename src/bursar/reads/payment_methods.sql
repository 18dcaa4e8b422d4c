-- name: payment_method
-- One payment method of the bound organization.
SELECT * FROM payment_methods WHERE org_id = $1 AND id = $2;

-- name: payment_methods
-- A window on the payment methods, newest first; each filter may be absent.
SELECT * FROM payment_methods
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR customer_id = $5)
    AND ($6::boolean OR detached_at IS NULL)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_payment_methods
-- How many payment methods the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM payment_methods
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::boolean OR detached_at IS NULL)
    LIMIT $2
) AS counted;
