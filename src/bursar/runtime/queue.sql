-- name: claim
-- One claimer gets a job; organizations take turns; silent workers' jobs first; none while paused.
-- A silent worker whose transaction still runs keeps its job until that transaction ends. One heard
-- of in the future spoke by a clock that has been put back since.
WITH RECURSIVE turns (place, lap, turn) AS (
    SELECT 0, 0, $5::text
    UNION ALL
    SELECT turns.place + 1, next.lap, next.turn
    FROM turns CROSS JOIN LATERAL (
        (
            SELECT turns.lap, coalesce(job.headers ->> 'org', '') AS turn
            FROM queue.pgqueuer AS job
            WHERE job.entrypoint = $1 AND job.status = 'queued'
                AND job.execute_after <= now() + $4::interval
                AND coalesce(job.headers ->> 'org', '') > turns.turn
            ORDER BY coalesce(job.headers ->> 'org', '') ASC LIMIT 1
        )
        UNION ALL
        (
            SELECT 1, coalesce(job.headers ->> 'org', '')
            FROM queue.pgqueuer AS job
            WHERE job.entrypoint = $1 AND job.status = 'queued'
                AND job.execute_after <= now() + $4::interval AND turns.lap = 0
            ORDER BY coalesce(job.headers ->> 'org', '') ASC LIMIT 1
        )
        ORDER BY 1 LIMIT 1
    ) AS next
    WHERE turns.place < 32 AND (next.lap = 0 OR next.turn <= $5)
),

stale AS MATERIALIZED (
    SELECT job.id
    FROM queue.pgqueuer AS job INNER JOIN queue.claims AS claim ON claim.job_id = job.id
    WHERE job.status = 'picked' AND job.entrypoint = $1
        AND (job.heartbeat < now() - $3::interval OR job.heartbeat > now() + $3::interval)
    ORDER BY job.heartbeat, job.id LIMIT $2
    FOR UPDATE OF job, claim SKIP LOCKED
),

candidates AS MATERIALIZED (
    SELECT job.id, turns.place, row_number() OVER (
        PARTITION BY turns.place ORDER BY job.execute_after, job.id
    ) AS round
    FROM turns CROSS JOIN LATERAL (
        SELECT waiting.id, waiting.execute_after
        FROM queue.pgqueuer AS waiting
        WHERE waiting.entrypoint = $1 AND waiting.status = 'queued'
            AND coalesce(waiting.headers ->> 'org', '') = turns.turn
            AND waiting.execute_after <= now() + $4::interval
        ORDER BY waiting.execute_after, waiting.id
        LIMIT $2 + 16
    ) AS job
    WHERE turns.place > 0
    ORDER BY 3, 2
    -- More than asked for: some may be locked by other claimers by now.
    LIMIT $2 * 4 + 16
),

fresh AS MATERIALIZED (
    SELECT job.id, candidates.round, candidates.place
    FROM candidates INNER JOIN queue.pgqueuer AS job ON job.id = candidates.id
    WHERE job.status = 'queued' AND job.execute_after <= now() + $4::interval
    ORDER BY candidates.round, candidates.place
    LIMIT (SELECT $2 - count(*) FROM stale)
    FOR UPDATE OF job SKIP LOCKED
),

picked AS (
    UPDATE queue.pgqueuer AS job
    SET status = 'picked', updated = now(), heartbeat = now(), queue_manager_id = $6
    WHERE job.id IN (SELECT stale.id FROM stale UNION ALL SELECT fresh.id FROM fresh)
        AND NOT EXISTS (SELECT FROM queue.pauses AS pause WHERE pause.entrypoint = $1)
    RETURNING job.id, job.payload, job.attempts, job.headers
),

claimed AS (
    INSERT INTO queue.claims AS claim (job_id, token, claimed_at)
    SELECT picked.id, gen_random_uuid(), now() FROM picked
    ON CONFLICT (job_id) DO UPDATE SET
        token = excluded.token,
        claimed_at = excluded.claimed_at,
        deaths = claim.deaths
            + CASE claim.token WHEN '00000000-0000-0000-0000-000000000000' THEN 0 ELSE 1 END
    RETURNING claim.job_id, claim.token, claim.deaths
)

SELECT
    picked.id, picked.payload, picked.attempts, coalesce(picked.headers ->> 'org', '') AS turn,
    picked.headers ->> 'traceparent' AS traceparent, claimed.token, claimed.deaths
FROM picked INNER JOIN claimed ON claimed.job_id = picked.id LEFT JOIN fresh ON fresh.id = picked.id
ORDER BY fresh.round NULLS FIRST, fresh.place, picked.id;

-- name: forget_claim
-- Ends a claim for good; no row when the token is no longer the job's. The job is locked first.
DELETE FROM queue.claims AS claim
USING (SELECT id FROM queue.pgqueuer WHERE id = $1 FOR UPDATE) AS job
WHERE claim.job_id = job.id AND claim.token = $2
RETURNING claim.job_id;

-- name: lay_down_claim
-- Nobody holds the job any more, and its deaths stay counted; no row when the token is stale.
UPDATE queue.claims AS claim
SET token = '00000000-0000-0000-0000-000000000000'
FROM (SELECT id FROM queue.pgqueuer WHERE id = $1 FOR UPDATE) AS job
WHERE claim.job_id = job.id AND claim.token = $2
RETURNING claim.job_id;

-- name: put_back
-- The job waits again as if it had not been picked.
UPDATE queue.pgqueuer
SET status = 'queued', updated = now(), queue_manager_id = NULL
WHERE id = $1;

-- name: heartbeat
-- Only holders keep a job; whoever is missing from the answer has lost his.
UPDATE queue.pgqueuer AS job
SET heartbeat = now()
FROM unnest($1::bigint[], $2::uuid[]) AS mine (job_id, token)
INNER JOIN queue.claims AS claim ON claim.job_id = mine.job_id AND claim.token = mine.token
WHERE job.id = mine.job_id AND job.status = 'picked'
RETURNING job.id;

-- name: depth
-- How many jobs wait, run and are held in each queue, and since when the oldest due one waits.
SELECT
    job.entrypoint,
    count(*) FILTER (WHERE job.status = 'queued') AS waiting,
    count(*) FILTER (WHERE job.status = 'picked') AS running,
    count(*) FILTER (WHERE job.status = 'failed') AS held,
    coalesce(
        extract(EPOCH FROM now() - min(job.execute_after)
            FILTER (WHERE job.status = 'queued' AND job.execute_after <= now())),
        0
    )::double precision AS lag_seconds
FROM queue.pgqueuer AS job
GROUP BY job.entrypoint;

-- name: set_right
-- Jobs left by a clock that has been put back since wait no longer than they were meant to.
UPDATE queue.pgqueuer AS job
SET execute_after = job.execute_after - (job.updated - now()), updated = now()
WHERE job.status = 'queued' AND job.execute_after > now() AND job.updated > now()
RETURNING job.id;

-- name: forget_log
-- Old history goes; the last error of a job that still exists stays.
DELETE FROM queue.pgqueuer_log AS log
WHERE log.id IN (
    SELECT old.id
    FROM queue.pgqueuer_log AS old
    WHERE old.created < now() - $1::interval
        AND NOT EXISTS (SELECT FROM queue.pgqueuer AS job WHERE job.id = old.job_id)
    ORDER BY old.created
    LIMIT $2
)
RETURNING log.id;
