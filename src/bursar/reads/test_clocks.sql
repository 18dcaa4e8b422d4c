-- name: clock
-- The organization's clock, if it ever had one.
SELECT * FROM test_clocks WHERE org_id = $1;

-- name: pending
-- What is due by now and not done yet, up to a thousand of each sort.
SELECT (
    SELECT count(*) FROM (
        SELECT FROM agenda AS a
        WHERE a.org_id = $1 AND a.clock = 'business' AND a.due_at <= $2 LIMIT 1000
    ) AS due
)::integer + (
    SELECT count(*) FROM (
        SELECT FROM queue.pgqueuer AS job
        WHERE job.status = 'queued' AND job.entrypoint = ANY($3::text [])
            AND coalesce(job.headers ->> 'org', '') = $1::text LIMIT 1000
    ) AS waiting
)::integer AS pending;
