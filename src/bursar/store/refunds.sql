-- name: get_refund
-- One refund of the bound organization.
SELECT * FROM refunds WHERE org_id = $1 AND id = $2;

-- name: refund_of_key
-- The refund of a payment that a request with this key began, whatever became of it.
SELECT * FROM refunds WHERE org_id = $1 AND payment_id = $2 AND attempt_key = $3;

-- name: credit_taken
-- What refunds of a payment have taken from the customer's credit.
SELECT coalesce(sum(credit_minor), 0) FROM refunds
WHERE org_id = $1 AND payment_id = $2 AND status <> 'failed';

-- name: insert_refund
-- A new refund, written before the provider is asked.
INSERT INTO refunds (
    org_id, id, payment_id, invoice_id, customer_id, status, amount_minor, currency, reason, provider,
    provider_reference, failure_code, failure_message, attempt_key, watch_step, settled_at, version,
    sequence, created_at, updated_at, credit_minor
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21
);

-- name: update_refund
-- Replaces exactly the version before; what is given back, and of which payment, never changes.
UPDATE refunds SET
    status = $6, provider_reference = $11, failure_code = $12, failure_message = $13, watch_step = $15,
    settled_at = $16, version = $17, sequence = $18, updated_at = $20
WHERE
    org_id = $1 AND id = $2 AND version = $17 - 1
    AND payment_id = $3 AND invoice_id IS NOT DISTINCT FROM $4 AND customer_id IS NOT DISTINCT FROM $5
    AND amount_minor = $7 AND currency = $8 AND reason IS NOT DISTINCT FROM $9 AND provider = $10
    AND attempt_key = $14 AND created_at = $19 AND credit_minor = $21;
