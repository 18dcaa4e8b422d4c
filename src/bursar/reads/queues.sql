-- name: speeds
-- How the latest 10,000 ends of a quarter of an hour went, by queue.
WITH ended AS (
    SELECT log.job_id, log.entrypoint, log.status, log.created
    FROM queue.pgqueuer_log AS log
    WHERE log.created > now() - interval '15 minutes'
        AND log.status IN ('successful', 'failed', 'exception')
    ORDER BY log.created DESC
    LIMIT 10000
)

SELECT
    ended.entrypoint,
    count(*) FILTER (WHERE ended.status = 'successful') AS finished,
    count(*) FILTER (WHERE ended.status <> 'successful') AS failed,
    coalesce(1000 * avg(extract(EPOCH FROM ended.created - asked.created)), 0)::integer AS mean_ms,
    coalesce(
        1000 * percentile_cont(0.95) WITHIN GROUP (
            ORDER BY extract(EPOCH FROM ended.created - asked.created)
        ),
        0
    )::integer AS p95_ms
FROM ended
LEFT JOIN LATERAL (
    SELECT log.created FROM queue.pgqueuer_log AS log
    WHERE log.job_id = ended.job_id AND log.status = 'queued'
    ORDER BY log.created ASC LIMIT 1
) AS asked ON ended.status = 'successful'
GROUP BY ended.entrypoint;

-- name: pauses
-- The queues that nobody works at the moment.
SELECT pause.entrypoint, pause.paused_by, pause.reason FROM queue.pauses AS pause;

-- name: letters
-- Dead letters of one queue or of all, the latest first, each with the error of its last attempt.
SELECT job.id, job.entrypoint, job.payload, job.attempts, job.created, job.updated, last.traceback
FROM queue.pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT log.traceback FROM queue.pgqueuer_log AS log
    WHERE log.job_id = job.id AND log.traceback IS NOT NULL
    ORDER BY log.created DESC, log.id DESC LIMIT 1
) AS last ON TRUE
WHERE job.status = 'failed' AND ($1::text IS NULL OR job.entrypoint = $1)
ORDER BY job.updated DESC, job.id DESC
LIMIT $2;

-- name: letter_groups
-- Dead letters by queue, kind and class of error, the largest group first.
SELECT
    job.entrypoint,
    coalesce(substring(encode(job.payload, 'escape') FROM '"kind":"([A-Za-z]+)"'), '') AS kind,
    coalesce(last.traceback ->> 'exception_type', '') AS error,
    count(*) AS letters,
    max(last.traceback ->> 'exception_message') AS example,
    min(job.updated) AS first_held_at,
    max(job.updated) AS last_held_at
FROM queue.pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT log.traceback FROM queue.pgqueuer_log AS log
    WHERE log.job_id = job.id AND log.traceback IS NOT NULL
    ORDER BY log.created DESC, log.id DESC LIMIT 1
) AS last ON TRUE
WHERE job.status = 'failed'
GROUP BY 1, 2, 3
ORDER BY 4 DESC, 1, 2, 3
LIMIT 200;

-- name: agenda
-- How much of each kind waits for its time, over all organizations.
SELECT glance.kind, glance.waiting, glance.due, glance.first_at FROM sec.agenda_glance() AS glance;

-- name: decisions
-- What was decided about queues, the latest first.
SELECT made.verb, made.entrypoint, made.jobs, made.decided_by, made.reason, made.decided_at
FROM queue.decisions AS made
ORDER BY made.id DESC
LIMIT $1;
