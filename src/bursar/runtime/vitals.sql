-- name: vitals
-- The server's clock, who works, what is held, and whether commits wait for a backup that is away.
SELECT
    clock_timestamp() AS told_at,
    (SELECT count(*) FROM pg_stat_activity AS seen WHERE seen.application_name = 'bursar-worker') AS workers,
    (SELECT count(*) FROM queue.pgqueuer AS job WHERE job.status = 'failed') AS held,
    (SELECT array_agg(pause.entrypoint ORDER BY pause.entrypoint) FROM queue.pauses AS pause) AS paused,
    EXISTS (
        SELECT FROM pg_stat_activity AS seen
        WHERE seen.wait_event = 'SyncRep' AND seen.query_start < clock_timestamp() - interval '3 seconds'
    ) AS is_unconfirmed;
