-- name: payout_of_reference
-- The payout that a provider calls this, alone with it.
SELECT * FROM payouts WHERE org_id = $1 AND provider = $2 AND provider_reference = $3
FOR NO KEY UPDATE;

-- name: insert_payout
-- The first we see of a payout; two who see it at once make one.
INSERT INTO payouts (
    org_id, id, provider, provider_reference, status, amount_minor, fee_minor, currency, move_count,
    failure_code, sent_at, arrives_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: update_payout
-- Replaces exactly the version before; what was paid out never changes.
UPDATE payouts SET
    status = $5, failure_code = $10, arrives_at = $12, version = $13, sequence = $14, updated_at = $16
WHERE
    org_id = $1 AND id = $2 AND version = $13 - 1
    AND provider = $3 AND provider_reference = $4 AND amount_minor = $6 AND fee_minor = $7
    AND currency = $8 AND move_count = $9 AND sent_at = $11 AND created_at = $15;

-- name: note_payout_moves
-- Which movements the processor lists in a payout, each kept once.
INSERT INTO payout_moves (org_id, provider, payout_reference, reference)
SELECT $1, $2, $3, m.reference FROM unnest($4::text[]) AS m (reference)
ON CONFLICT (org_id, provider, reference) DO NOTHING;
