-- name: insert_api_key
-- A new key; its hash is unique, the key itself is nowhere.
INSERT INTO api_keys (
    org_id, id, name, key_hash, key_prefix, scopes, allowed_addresses, expires_at, revoked_at,
    version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: update_api_key
-- Replaces exactly the version before; hash and scopes never change.
UPDATE api_keys SET
    revoked_at = $3, expires_at = $4, successor_id = $5, version = $6, sequence = $7, updated_at = $8
WHERE org_id = $1 AND id = $2 AND version = $6 - 1;

-- name: get_api_key
-- One key of the bound organization, locked.
SELECT * FROM api_keys WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE;
