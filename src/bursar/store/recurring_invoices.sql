-- name: get_recurring_invoice
-- One template of the bound organization.
SELECT * FROM recurring_invoices WHERE org_id = $1 AND id = $2;

-- name: insert_recurring_invoice
-- A new template.
INSERT INTO recurring_invoices (
    org_id, id, customer_id, status, currency, lines, recurs, interval_count, timezone, start_at, end_at,
    occurrence, next_at, last_invoice_id, auto_finalize, auto_send, memo, metadata, version, sequence,
    created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22
);

-- name: update_recurring_invoice
-- Replaces exactly the version before; customer, currency, rhythm and start stay.
UPDATE recurring_invoices SET
    status = $4, lines = $6, end_at = $11, occurrence = $12, next_at = $13, last_invoice_id = $14,
    auto_finalize = $15, auto_send = $16, memo = $17, metadata = $18, version = $19, sequence = $20,
    updated_at = $22
WHERE org_id = $1 AND id = $2 AND version = $19 - 1 AND customer_id = $3 AND currency = $5
    AND recurs = $7 AND interval_count = $8 AND timezone = $9 AND start_at = $10 AND created_at = $21;

-- name: insert_occurrence
-- An occurrence has become an invoice, which it does once.
INSERT INTO recurring_occurrences (org_id, recurring_invoice_id, occurrence, invoice_id, due_at)
VALUES ($1, $2, $3, $4, $5);
