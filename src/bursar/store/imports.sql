-- name: insert_import
-- A file that was read, and what came of it.
INSERT INTO imports (
    org_id, id, kind, format, created, unchanged, failed, faults, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: known_references
-- Who came already under one of these references.
SELECT i.reference, i.customer_id, i.digest FROM imported_customers AS i
WHERE i.org_id = $1 AND i.reference = ANY($2::text[]);

-- name: note_references
-- Who came under which reference.
INSERT INTO imported_customers (org_id, reference, customer_id, digest)
SELECT $1, n.reference, n.customer_id, n.digest
FROM unnest($2::text[], $3::uuid[], $4::bytea[]) AS n (reference, customer_id, digest);

-- name: lock_customers
-- Customers who are there, locked one after another in the order of their ids.
SELECT c.* FROM customers AS c WHERE c.org_id = $1 AND c.id = ANY($2::uuid[]) AND c.deleted_at IS NULL
ORDER BY c.id FOR NO KEY UPDATE OF c;

-- name: opening_balances
-- What these customers came with.
SELECT b.customer_id, b.amount_minor FROM opening_balances AS b
WHERE b.org_id = $1 AND b.customer_id = ANY($2::uuid[]);

-- name: note_opening_balances
-- What customers came with, once each.
INSERT INTO opening_balances (org_id, customer_id, amount_minor, currency)
SELECT $1, n.customer_id, n.amount_minor, n.currency
FROM unnest($2::uuid[], $3::bigint[], $4::text[]) AS n (customer_id, amount_minor, currency);
