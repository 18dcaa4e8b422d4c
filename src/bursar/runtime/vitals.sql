-- name: vitals
-- The server's clock, who works, what is held, months made ahead, and whether commits wait for a backup.
SELECT
    clock_timestamp() AS told_at,
    (SELECT count(*) FROM pg_stat_activity AS seen WHERE seen.application_name = 'bursar-worker') AS workers,
    (SELECT count(*) FROM queue.pgqueuer AS job WHERE job.status = 'failed') AS held,
    (SELECT array_agg(pause.entrypoint ORDER BY pause.entrypoint) FROM queue.pauses AS pause) AS paused,
    (
        SELECT count(*) FROM pg_inherits AS kin INNER JOIN pg_class AS part ON part.oid = kin.inhrelid
        WHERE kin.inhparent = 'public.events'::regclass AND part.relname <> 'events_default'
            AND part.relname > to_char(now() AT TIME ZONE 'UTC', '"events_"YYYY_MM')
    ) AS months_ahead,
    EXISTS (
        SELECT FROM pg_stat_activity AS seen
        WHERE seen.wait_event = 'SyncRep' AND seen.query_start < clock_timestamp() - interval '3 seconds'
    ) AS is_unconfirmed;
