-- name: case_of_invoice
-- The one case an invoice has or had.
SELECT * FROM dunning_cases WHERE org_id = $1 AND invoice_id = $2;

-- name: open_of_customer
-- What is open of a customer, in the order it began.
SELECT * FROM dunning_cases WHERE org_id = $1 AND customer_id = $2 AND resolved_at IS NULL ORDER BY id;

-- name: count_open_of_subscription
-- How many invoices of a subscription are in dunning.
SELECT count(*) FROM dunning_cases WHERE org_id = $1 AND subscription_id = $2 AND resolved_at IS NULL;

-- name: was_put_to_rest
-- Whether a case paused a subscription at that very instant.
SELECT EXISTS (
    SELECT FROM dunning_cases WHERE org_id = $1 AND subscription_id = $2 AND rested_at = $3
);

-- name: insert_case
-- A new case; a second one of an invoice is impossible.
INSERT INTO dunning_cases (
    org_id, id, invoice_id, customer_id, subscription_id, policy, step, retry_count, current_action, next_at,
    decline_kind, decline_code, blocked_method, rested_at, paused_at, pause_reason, resolved_at, resolution,
    version, sequence, created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
);

-- name: update_case
-- Replaces exactly the version before; whose case it is and its policy stay.
UPDATE dunning_cases SET
    step = $7, retry_count = $8, current_action = $9, next_at = $10, decline_kind = $11, decline_code = $12,
    blocked_method = $13, rested_at = $14, paused_at = $15, pause_reason = $16, resolved_at = $17,
    resolution = $18, version = $19, sequence = $20, updated_at = $22
WHERE
    org_id = $1 AND id = $2 AND version = $19 - 1 AND invoice_id = $3 AND customer_id = $4
    AND subscription_id IS NOT DISTINCT FROM $5 AND policy = $6::jsonb AND created_at = $21;
