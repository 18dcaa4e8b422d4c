-- name: payment_method
-- One method of the bound organization, detached or not.
SELECT * FROM payment_methods WHERE org_id = $1 AND id = $2;

-- name: payment_method_of_reference
-- The method that a provider calls this, while it is attached.
SELECT * FROM payment_methods
WHERE org_id = $1 AND provider = $2 AND provider_reference = $3 AND detached_at IS NULL;

-- name: payment_methods_of
-- Every method of a customer, detached or not, oldest first.
SELECT * FROM payment_methods WHERE org_id = $1 AND customer_id = $2 ORDER BY id;

-- name: insert_payment_method
-- A new method; two who keep it at once make one.
INSERT INTO payment_methods (
    org_id, id, customer_id, provider, provider_reference, kind, brand, last4, exp_month, exp_year,
    detached_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);

-- name: update_payment_method
-- Replaces exactly the version before; whose it is, and what the provider calls it, never changes.
UPDATE payment_methods SET
    kind = $6, brand = $7, last4 = $8, exp_month = $9, exp_year = $10, detached_at = $11, version = $12,
    sequence = $13, updated_at = $15
WHERE
    org_id = $1 AND id = $2 AND version = $12 - 1
    AND customer_id = $3 AND provider = $4 AND provider_reference = $5 AND created_at = $14;
