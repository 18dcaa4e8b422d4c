-- name: api_keys
-- A window on the keys of the bound organization, revoked ones too, newest first.
SELECT * FROM api_keys WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_api_keys
-- How many keys there are, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM api_keys WHERE org_id = $1 LIMIT $2) AS counted;

-- name: api_key
-- One key of the bound organization, revoked or not.
SELECT * FROM api_keys WHERE org_id = $1 AND id = $2;
