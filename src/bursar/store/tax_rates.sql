-- name: tax_rates_by_ids
-- Those of these rates that are of the bound organization.
SELECT * FROM tax_rates WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: automatic_rates
-- The rates that lie on what is billed by itself, in any country.
SELECT * FROM tax_rates WHERE org_id = $1 AND is_automatic AND status = 'active' ORDER BY id;

-- name: taxed_customers
-- Customers whose country and standing say which rates are theirs.
SELECT * FROM customers WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: insert_tax_rate
-- A new rate.
INSERT INTO tax_rates (
    org_id, id, status, archived_at, version, sequence, updated_at, name, percent, is_inclusive,
    category, country, note, is_automatic, metadata, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: update_tax_rate
-- Replaces exactly the version before; what documents were made with stays.
UPDATE tax_rates SET status = $3, archived_at = $4, version = $5, sequence = $6, updated_at = $7
WHERE org_id = $1 AND id = $2 AND version = $5 - 1;
