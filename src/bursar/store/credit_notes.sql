-- name: taken_before
-- What credit notes have taken back of each line of an invoice so far.
SELECT n.invoice_line_id, sum(n.amount_minor)::bigint AS amount_minor FROM credit_note_lines AS n
WHERE n.org_id = $1 AND n.invoice_id = $2 GROUP BY n.invoice_line_id;

-- name: refundable_payments
-- The payments of an invoice that hold money, those with most left first.
SELECT p.* FROM payments AS p
WHERE
    p.org_id = $1 AND p.invoice_id = $2 AND p.mode IN ('checkout', 'charge')
    AND p.status IN ('succeeded', 'partially_refunded')
ORDER BY p.amount_minor - p.refunded_minor - p.refunding_minor DESC, p.id LIMIT 1;

-- name: insert_credit_note
-- A new note; it is never changed.
INSERT INTO credit_notes (
    org_id, id, invoice_id, customer_id, series, number, currency, total_minor, tax_minor,
    applied_minor, credited_minor, destination, refund_id, reason, metadata, version, sequence,
    created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
);

-- name: insert_credit_note_lines
-- All lines of a note at once.
INSERT INTO credit_note_lines (
    org_id, credit_note_id, invoice_id, position, id, invoice_line_id, description, amount_minor,
    tax_minor, taxes
)
SELECT
    $1, $2, $3, l.position, l.id, l.invoice_line_id, l.description, l.amount_minor, l.tax_minor, l.taxes
FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::jsonb[])
WITH ORDINALITY AS l (id, invoice_line_id, description, amount_minor, tax_minor, taxes, position);
