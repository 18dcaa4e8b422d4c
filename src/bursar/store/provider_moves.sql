-- name: note_moves
-- Movements of the processor's books, each kept once; gives the payments that are not settled by them.
WITH moved AS (
    SELECT * FROM unnest(
        $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::uuid[], $10::uuid[],
        $11::timestamptz[]
    ) AS m (
        reference, kind, amount_minor, fee_minor, currency, source, payment_id, refund_id, occurred_at
    )
), kept AS (
    INSERT INTO provider_moves (
        org_id, provider, reference, kind, amount_minor, fee_minor, currency, source, payment_id, refund_id,
        occurred_at
    )
    SELECT
        $1, $2, m.reference, m.kind, m.amount_minor, m.fee_minor, m.currency, m.source, m.payment_id,
        m.refund_id, m.occurred_at
    FROM moved AS m JOIN payments AS p ON p.org_id = $1 AND p.id = m.payment_id
    ON CONFLICT (org_id, provider, reference) DO NOTHING
)
SELECT p.id FROM payments AS p
WHERE
    p.org_id = $1 AND p.id = ANY($9::uuid[])
    AND p.status IN ('pending', 'requires_action', 'processing', 'failed');

-- name: open_refunds
-- Of these refunds, those whose answer we have not got.
SELECT r.id FROM refunds AS r
WHERE r.org_id = $1 AND r.id = ANY($2::uuid[]) AND r.status = 'pending';
