-- name: note_growth
-- So many more events wait for a checkpoint; it is due at its time, or at once when they are many.
INSERT INTO audit_growth AS g (org_id, event_count, checkpoint_at)
VALUES ($1, $2::bigint, CASE WHEN $2::bigint >= $3::bigint THEN now() ELSE now() + $4::interval END)
ON CONFLICT (org_id) DO UPDATE SET
    event_count = g.event_count + excluded.event_count,
    checkpoint_at = CASE
        WHEN g.event_count + excluded.event_count >= $3::bigint THEN least(g.checkpoint_at, now())
        ELSE g.checkpoint_at
    END;

-- name: take_growth
-- Whoever takes it tells the checkpoint; what is sealed from now on waits for the next one.
DELETE FROM audit_growth WHERE org_id = $1;

-- name: get_checkpoint
-- The last checkpoint that the organization was told.
SELECT * FROM audit_checkpoints WHERE org_id = $1 FOR NO KEY UPDATE;

-- name: insert_checkpoint
-- The first one.
INSERT INTO audit_checkpoints (
    org_id, id, position, hash, signature, public_key, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: update_checkpoint
-- Replaces exactly the version before.
UPDATE audit_checkpoints SET
    position = $3, hash = $4, signature = $5, public_key = $6, version = $7, sequence = $8,
    updated_at = $10
WHERE org_id = $1 AND id = $2 AND version = $7 - 1 AND created_at = $9;
