-- What an operator does with queues: pauses, and a record of every decision.

-- Workers claim nothing from a queue that stands here.
CREATE TABLE queue.pauses (
    entrypoint text NOT NULL PRIMARY KEY,
    paused_by text NOT NULL,
    reason text NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now()
);

-- Who decided what about queues and dead letters, and why; insert and select only.
CREATE TABLE queue.decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    verb text NOT NULL CHECK (verb IN ('retried', 'discarded', 'paused', 'resumed')),
    entrypoint text NOT NULL,
    jobs bigint [] NOT NULL,
    decided_by text NOT NULL,
    reason text,
    decided_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, DELETE ON queue.pauses TO bursar_app;
GRANT SELECT, INSERT ON queue.decisions TO bursar_app;
GRANT SELECT ON queue.pauses, queue.decisions TO bursar_backup;

-- What waits for its time, over all organizations: counts only, whoever's they are.
CREATE FUNCTION sec.agenda_glance()
RETURNS TABLE (kind text, waiting bigint, due bigint, first_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT a.kind, count(*), count(*) FILTER (WHERE a.due_at <= now()), min(a.due_at)
    FROM public.agenda AS a GROUP BY a.kind ORDER BY a.kind
$$;
REVOKE ALL ON FUNCTION sec.agenda_glance() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.agenda_glance() TO bursar_app;

CREATE INDEX pgqueuer_held ON queue.pgqueuer USING btree (id) WHERE (status = 'failed');
