-- name: put
-- One item per kind and subject; putting it again moves it and frees it for a worker.
INSERT INTO agenda (org_id, kind, subject_id, clock, due_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (org_id, kind, subject_id) DO UPDATE SET due_at = excluded.due_at, leased_until = NULL;

-- name: remove
-- The item is done with.
DELETE FROM agenda WHERE org_id = $1 AND kind = $2 AND subject_id = $3;

-- name: put_many
-- The same for many items, each of its own kind.
INSERT INTO agenda (org_id, kind, subject_id, clock, due_at)
SELECT $1, d.kind, d.subject_id, d.clock, d.due_at
FROM unnest($2::text[], $3::uuid[], $4::text[], $5::timestamptz[]) AS d (kind, subject_id, clock, due_at)
ON CONFLICT (org_id, kind, subject_id) DO UPDATE SET due_at = excluded.due_at, leased_until = NULL;

-- name: remove_many
-- What nobody need look at any more.
DELETE FROM agenda AS a USING unnest($2::text[], $3::uuid[]) AS d (kind, subject_id)
WHERE a.org_id = $1 AND a.kind = d.kind AND a.subject_id = d.subject_id;
