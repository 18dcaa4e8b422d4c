-- name: dispute_of_reference
-- The dispute that a provider calls this.
SELECT * FROM disputes WHERE org_id = $1 AND provider = $2 AND provider_reference = $3;

-- name: insert_dispute
-- The first we hear of a dispute; two who hear it at once make one.
INSERT INTO disputes (
    org_id, id, payment_id, invoice_id, customer_id, status, amount_minor, withdrawn_minor, fee_minor,
    move_count, currency, reason, provider, provider_reference, evidence_due_at, reported_at, closed_at,
    version, sequence, created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21
);

-- name: update_dispute
-- Replaces exactly the version before; what is disputed, and of which payment, never changes.
UPDATE disputes SET
    status = $6, withdrawn_minor = $8, fee_minor = $9, move_count = $10, evidence_due_at = $15,
    reported_at = $16, closed_at = $17, version = $18, sequence = $19, updated_at = $21
WHERE
    org_id = $1 AND id = $2 AND version = $18 - 1
    AND payment_id = $3 AND invoice_id IS NOT DISTINCT FROM $4 AND customer_id IS NOT DISTINCT FROM $5
    AND amount_minor = $7 AND currency = $11 AND reason = $12 AND provider = $13
    AND provider_reference = $14 AND created_at = $20;
