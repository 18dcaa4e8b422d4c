-- name: concerned
-- The customer of an invoice, who has the invoice's transaction to themselves already.
SELECT c.* FROM invoices AS i
JOIN customers AS c ON c.org_id = i.org_id AND c.id = i.customer_id
WHERE i.org_id = $1 AND i.id = $2;

-- name: note_reminder
-- A reminder's day is written once; nothing when it was before.
INSERT INTO invoice_reminders (org_id, invoice_id, days, written_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING days;
