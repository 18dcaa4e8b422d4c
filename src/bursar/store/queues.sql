-- name: alike
-- The oldest dead letters of one queue, kind and class of error, locked until the end.
SELECT job.id
FROM queue.pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT log.traceback FROM queue.pgqueuer_log AS log
    WHERE log.job_id = job.id AND log.traceback IS NOT NULL
    ORDER BY log.created DESC, log.id DESC LIMIT 1
) AS last ON TRUE
WHERE job.status = 'failed' AND job.entrypoint = $1
    AND coalesce(substring(encode(job.payload, 'escape') FROM '"kind":"([A-Za-z]+)"'), '') = $2
    AND coalesce(last.traceback ->> 'exception_type', '') = $3
ORDER BY job.id
LIMIT $4
FOR UPDATE OF job SKIP LOCKED;

-- name: retry_letters
-- Dead letters wait again with a clean slate, one after another in the given distance.
WITH locked AS MATERIALIZED (
    SELECT job.id FROM queue.pgqueuer AS job
    WHERE job.id = ANY($1::bigint []) AND job.status = 'failed'
    FOR UPDATE
),

numbered AS (
    SELECT locked.id, row_number() OVER (ORDER BY locked.id) - 1 AS place FROM locked
)

UPDATE queue.pgqueuer AS job
SET
    status = 'queued',
    execute_after = now() + numbered.place * $2::interval,
    updated = now(),
    attempts = 0,
    queue_manager_id = NULL
FROM numbered
WHERE job.id = numbered.id
RETURNING job.id, job.entrypoint;

-- name: discard_letters
-- Dead letters are thrown away; a job that waits or runs is not.
DELETE FROM queue.pgqueuer AS job
WHERE job.id = ANY($1::bigint []) AND job.status = 'failed'
RETURNING job.id, job.entrypoint;

-- name: pause
-- From now on nobody claims from this queue; again changes nothing.
INSERT INTO queue.pauses (entrypoint, paused_by, reason) VALUES ($1, $2, $3)
ON CONFLICT (entrypoint) DO NOTHING;

-- name: resume
-- The queue is worked again.
DELETE FROM queue.pauses AS pause WHERE pause.entrypoint = $1;

-- name: note_decision
-- Who decided what, and why.
INSERT INTO queue.decisions (verb, entrypoint, jobs, decided_by, reason)
VALUES ($1, $2, $3::bigint [], $4, $5);
