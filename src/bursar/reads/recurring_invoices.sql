-- name: recurring_invoice
-- One template of the bound organization.
SELECT * FROM recurring_invoices WHERE org_id = $1 AND id = $2;

-- name: recurring_invoices
-- A window on the templates, newest first.
SELECT * FROM recurring_invoices
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::uuid IS NULL OR customer_id = $5)
    AND ($6::text[] IS NULL OR status = ANY($6))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_recurring_invoices
-- How many templates the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM recurring_invoices
    WHERE org_id = $1 AND ($3::uuid IS NULL OR customer_id = $3) AND ($4::text[] IS NULL OR status = ANY($4))
    LIMIT $2
) AS counted;
