-- name: get_invoice
-- One invoice of the bound organization.
SELECT * FROM invoices WHERE org_id = $1 AND id = $2;

-- name: get_invoice_lines
-- Its lines, in their order.
SELECT * FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2 ORDER BY position;

-- name: insert_invoice
-- A new document; the schema checks that it adds up.
INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, due_at, memo, metadata, hosted_generation,
    finalized_at, paid_at, voided_at, version, sequence, created_at, updated_at
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23
);

-- name: update_invoice
-- Replaces exactly the version before.
UPDATE invoices SET
    customer_id = $3, status = $4, currency = $5, subtotal_minor = $6, discount_minor = $7,
    tax_minor = $8, total_minor = $9, paid_minor = $10, series = $11, number = $12, due_at = $13,
    memo = $14, metadata = $15, hosted_generation = $16, finalized_at = $17, paid_at = $18,
    voided_at = $19, version = $20, sequence = $21, updated_at = $23
WHERE org_id = $1 AND id = $2 AND version = $20 - 1 AND created_at = $22;

-- name: insert_lines
-- All lines of a document at once.
INSERT INTO invoice_lines (
    org_id, invoice_id, id, position, description, type, quantity, unit_amount, amount_minor
)
SELECT
    $1, $2, line.id, line.position, line.description, line.type, line.quantity, line.unit_amount,
    line.amount_minor
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::numeric[], $8::bigint[])
WITH ORDINALITY AS line (id, description, type, quantity, unit_amount, amount_minor, position);

-- name: insert_drafts
-- New drafts of several callers at once; the schema checks that each adds up.
INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, due_at, memo, metadata, hosted_generation, version, sequence, created_at,
    updated_at
)
SELECT
    $1, d.id, d.customer_id, 'draft', d.currency, d.subtotal_minor, d.discount_minor, d.tax_minor,
    d.total_minor, 0, d.due_at, d.memo, d.metadata, 1, 1, 1, $2, $2
FROM unnest(
    $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::timestamptz[], $11::text[], $12::jsonb[]
) AS d (
    id, customer_id, currency, subtotal_minor, discount_minor, tax_minor, total_minor, due_at, memo,
    metadata
);

-- name: insert_lines_of
-- The lines of several documents at once, each in its place.
INSERT INTO invoice_lines (
    org_id, invoice_id, id, position, description, type, quantity, unit_amount, amount_minor
)
SELECT
    $1, l.invoice_id, l.id, l.position, l.description, l.type, l.quantity, l.unit_amount, l.amount_minor
FROM unnest(
    $2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::numeric[],
    $9::bigint[]
) AS l (invoice_id, id, position, description, type, quantity, unit_amount, amount_minor);

-- name: delete_lines
-- Only a draft's lines ever go.
DELETE FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2;

-- name: next_number
-- The next place in a series; the row stays locked until the document is committed, so no gap.
INSERT INTO invoice_series AS s (org_id, series, last_number) VALUES ($1, $2, 1)
ON CONFLICT (org_id, series) DO UPDATE SET last_number = s.last_number + 1
RETURNING last_number;
