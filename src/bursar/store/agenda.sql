-- name: put
-- One item per kind and subject; putting it again moves it and frees it for a worker.
INSERT INTO agenda (org_id, kind, subject_id, clock, due_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (org_id, kind, subject_id) DO UPDATE SET due_at = excluded.due_at, leased_until = NULL;

-- name: remove
-- The item is done with.
DELETE FROM agenda WHERE org_id = $1 AND kind = $2 AND subject_id = $3;
