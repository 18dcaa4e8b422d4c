-- name: count_meters
-- How many meters the bound organization has.
SELECT count(*) FROM meters WHERE org_id = $1;

-- name: insert_meter
-- A new meter, unless another one has its key.
INSERT INTO meters (
    org_id, id, name, key, aggregation, property_name, thresholds, version, sequence, created_at,
    updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (org_id, key) DO NOTHING;
