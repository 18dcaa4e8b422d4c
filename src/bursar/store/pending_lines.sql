-- name: add_line
-- A line that waits for an invoice.
INSERT INTO pending_lines (
    org_id, id, customer_id, subscription_id, kind, description, quantity, unit_amount,
    amount_minor, currency, price_id, period_start_at, period_end_at, is_discountable, due_at,
    derivation, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: drop_waiting
-- Forgets the lines of a subscription that no invoice took up.
DELETE FROM pending_lines WHERE org_id = $1 AND subscription_id = $2 AND invoice_id IS NULL;

-- name: count_waiting
-- How many lines of a subscription wait.
SELECT count(*) FROM pending_lines
WHERE org_id = $1 AND subscription_id = $2 AND invoice_id IS NULL;
