-- name: get_payment
-- One attempt of the bound organization.
SELECT * FROM payments WHERE org_id = $1 AND id = $2;

-- name: open_attempt
-- The attempt through which money may still move for an invoice; the schema allows one.
SELECT * FROM payments
WHERE org_id = $1 AND invoice_id = $2 AND status IN ('pending', 'requires_action', 'processing');

-- name: attempt_of_key
-- The attempt that a request with this key began, whatever became of it.
SELECT * FROM payments
WHERE org_id = $1 AND invoice_id = $2 AND attempt_key = $3 ORDER BY id DESC LIMIT 1;

-- name: deposit_of_key
-- The deposit that a request with this key began, whatever became of it.
SELECT * FROM payments
WHERE org_id = $1 AND wallet_id = $2 AND purpose = 'wallet_deposit' AND attempt_key = $3
ORDER BY id DESC LIMIT 1;

-- name: count_open_deposits
-- How many deposits into a wallet may still bring money.
SELECT count(*) FROM payments
WHERE
    org_id = $1 AND wallet_id = $2 AND purpose = 'wallet_deposit'
    AND status IN ('pending', 'requires_action', 'processing');

-- name: insert_payment
-- A new attempt, written before the provider is asked.
INSERT INTO payments (
    org_id, id, invoice_id, customer_id, mode, status, amount_minor, currency, provider,
    provider_reference, session_reference, method_reference, checkout_url, next_action_url,
    success_url, cancel_url, failure_code, failure_message, decline_kind, attempt_key, watch_step,
    credited_minor, expires_at, settled_at, version, sequence, created_at, updated_at, purpose,
    wallet_id, receipt_method, received_at, receipt_reference, refunded_minor, refunding_minor
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
    $35
);

-- name: update_payment
-- Replaces exactly the version before; what the attempt is for never changes.
UPDATE payments SET
    status = $6, amount_minor = $7, provider_reference = $10, session_reference = $11,
    method_reference = $12, checkout_url = $13, next_action_url = $14, failure_code = $17,
    failure_message = $18, decline_kind = $19, watch_step = $21, credited_minor = $22,
    expires_at = $23, settled_at = $24, version = $25, sequence = $26, updated_at = $28,
    refunded_minor = $34, refunding_minor = $35
WHERE
    org_id = $1 AND id = $2 AND version = $25 - 1
    AND invoice_id IS NOT DISTINCT FROM $3 AND customer_id IS NOT DISTINCT FROM $4
    AND wallet_id IS NOT DISTINCT FROM $30 AND purpose = $29
    AND receipt_method IS NOT DISTINCT FROM $31 AND received_at IS NOT DISTINCT FROM $32
    AND receipt_reference IS NOT DISTINCT FROM $33
    AND mode = $5 AND currency = $8 AND provider = $9
    AND success_url IS NOT DISTINCT FROM $15 AND cancel_url IS NOT DISTINCT FROM $16
    AND attempt_key = $20 AND created_at = $27;
