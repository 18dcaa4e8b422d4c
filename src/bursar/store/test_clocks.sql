-- name: lock_clock
-- The clock of the bound organization, one changer at a time.
SELECT * FROM test_clocks WHERE org_id = $1 FOR NO KEY UPDATE;

-- name: take_clock
-- The clock if it is on its way and nobody else has it in hand.
SELECT * FROM test_clocks WHERE org_id = $1 AND target_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED;

-- name: insert_clock
-- The organization's one clock.
INSERT INTO test_clocks (
    org_id, id, now_at, departed_at, target_at, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: update_clock
-- Replaces exactly the version before.
UPDATE test_clocks SET
    now_at = $3, departed_at = $4, target_at = $5, version = $6, sequence = $7, updated_at = $9
WHERE org_id = $1 AND id = $2 AND version = $6 - 1 AND created_at = $8;

-- name: step_clock
-- A step on the way of this version.
UPDATE test_clocks SET now_at = $3, updated_at = now()
WHERE org_id = $1 AND version = $2 AND target_at IS NOT NULL;

-- name: is_untouched
-- Whether nothing has happened in the organization that has a date; one row of each is looked for.
SELECT
    (SELECT c.id FROM customers AS c WHERE c.org_id = $1 ORDER BY c.id LIMIT 1) IS NULL
    AND (SELECT p.id FROM plans AS p WHERE p.org_id = $1 ORDER BY p.id LIMIT 1) IS NULL
    AND (SELECT w.id FROM wallets AS w WHERE w.org_id = $1 ORDER BY w.id LIMIT 1) IS NULL
    AND (
        SELECT t.id FROM ledger_transactions AS t WHERE t.org_id = $1 ORDER BY t.id LIMIT 1
    ) IS NULL;

-- name: is_busy
-- Whether something due by now is not done: on the agenda, or a task that waits or runs.
SELECT EXISTS (
    SELECT FROM agenda AS a WHERE a.org_id = $1 AND a.clock = 'business' AND a.due_at <= $2
) OR EXISTS (
    SELECT FROM agenda AS a WHERE a.org_id = $1 AND a.clock = 'wall' AND a.due_at <= now()
) OR EXISTS (
    SELECT FROM queue.pgqueuer AS job
    WHERE job.status = 'queued' AND job.entrypoint = ANY($3::text [])
        AND coalesce(job.headers ->> 'org', '') = $1::text
) OR EXISTS (
    SELECT FROM queue.pgqueuer AS job
    WHERE job.status = 'picked' AND job.headers ->> 'org' = $1::text
);

-- name: next_due
-- When the clock has something to do next.
SELECT a.due_at FROM agenda AS a
WHERE a.org_id = $1 AND a.clock = 'business' AND a.due_at > $2
ORDER BY a.due_at LIMIT 1;
