-- Which events an endpoint hears of: what it names, and by `*` all but checkpoints of the log, which
-- are for whoever keeps them. The domain says the same of each event.
CREATE FUNCTION sec.is_wanted(p_type text, p_wanted text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p_wanted && CASE p_type WHEN 'audit.checkpoint' THEN ARRAY[p_type] ELSE ARRAY['*', p_type] END
$$;
REVOKE ALL ON FUNCTION sec.is_wanted(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.is_wanted(text, text[]) TO bursar_app;

-- One delivery for each event of a stretch of the log and each endpoint that wants it. The lanes
-- are held first, in order, so that nobody ends a delivery while its successor is put behind it.
CREATE OR REPLACE FUNCTION sec.spread_events(
    p_orgs uuid[], p_from_transaction xid8, p_from_event uuid, p_to_transaction xid8, p_to_event uuid
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.webhook_lanes AS l
    JOIN public.webhook_subscriptions AS s ON s.org_id = l.org_id AND s.id = l.subscription_id
    WHERE l.org_id = ANY(p_orgs) AND s.is_active
    ORDER BY l.org_id, l.subscription_id FOR UPDATE OF l;
    WITH wanted AS (
        SELECT e.org_id, s.id AS subscription_id, e.id AS event_id, e.type, e.resource_id, e.sequence,
            row_number() OVER (
                PARTITION BY e.org_id, s.id, e.resource_id ORDER BY e.sequence, e.id
            ) > 1 OR EXISTS (
                SELECT 1 FROM public.webhook_deliveries AS d
                WHERE d.org_id = e.org_id AND d.subscription_id = s.id AND d.resource_id = e.resource_id
                    AND d.status = 'pending'
            ) AS is_behind
        FROM public.events AS e
        JOIN public.webhook_subscriptions AS s ON s.org_id = e.org_id AND s.is_active
            AND sec.is_wanted(e.type, s.event_types)
        WHERE e.is_public AND (e.transaction_id, e.id) > (p_from_transaction, p_from_event)
            AND (e.transaction_id, e.id) <= (p_to_transaction, p_to_event)
    ), spread AS (
        INSERT INTO public.webhook_deliveries (
            org_id, id, subscription_id, event_id, event_type, resource_id, sequence,
            status, attempt_count, next_attempt_at, is_behind
        )
        SELECT w.org_id, sec.new_uuid7(), w.subscription_id, w.event_id, w.type, w.resource_id, w.sequence,
            'pending', 0, now(), w.is_behind
        FROM wanted AS w
        ON CONFLICT (org_id, subscription_id, event_id) DO NOTHING
        RETURNING org_id, subscription_id, is_behind
    )
    UPDATE public.webhook_lanes AS l
    SET ready_at = greatest(l.held_until, least(l.ready_at, now()))
    FROM (SELECT DISTINCT s.org_id, s.subscription_id FROM spread AS s WHERE NOT s.is_behind) AS fresh
    WHERE l.org_id = fresh.org_id AND l.subscription_id = fresh.subscription_id AND l.is_open;
END $$;

-- Sends a stretch of the log to one endpoint again, oldest first, so many a second: what `failed`,
-- what it `missed` (and was not even meant for it then), or `all`. What waits already is left alone.
-- Returns how many go, and the moment of the last event it came to.
CREATE OR REPLACE FUNCTION sec.replay_events(
    p_org uuid, p_subscription uuid, p_from timestamptz, p_before timestamptz,
    p_scope text, p_types text[], p_per_second integer, p_limit integer
) RETURNS TABLE (taken integer, reached_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.webhook_lanes AS l
    WHERE l.org_id = p_org AND l.subscription_id = p_subscription FOR UPDATE;
    RETURN QUERY WITH stretch AS MATERIALIZED (
        SELECT e.id, e.type, e.resource_id, e.sequence, e.recorded_at, d.status,
            row_number() OVER (ORDER BY e.transaction_id, e.id) AS turn
        FROM public.events AS e
        JOIN public.webhook_subscriptions AS s ON s.org_id = p_org AND s.id = p_subscription
        LEFT JOIN public.webhook_deliveries AS d
            ON d.org_id = p_org AND d.subscription_id = p_subscription AND d.event_id = e.id
        WHERE e.org_id = p_org AND e.is_public
            AND e.id >= sec.first_id_at(p_from - interval '1 hour')
            AND e.id < sec.first_id_at(p_before + interval '1 hour')
            AND e.recorded_at >= p_from AND e.recorded_at < p_before
            AND sec.is_wanted(e.type, s.event_types)
            AND (p_types IS NULL OR e.type = ANY(p_types))
            AND CASE p_scope
                WHEN 'failed' THEN d.status = 'failed'
                WHEN 'missed' THEN d.status IS NULL OR d.status = 'failed'
                ELSE d.status IS DISTINCT FROM 'pending'
            END
        ORDER BY e.transaction_id, e.id LIMIT p_limit
    ), again AS (
        UPDATE public.webhook_deliveries AS d
        SET status = 'pending', tried = 0, is_behind = false,
            next_attempt_at = now() + make_interval(secs => (s.turn - 1)::double precision / p_per_second)
        FROM stretch AS s
        WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.event_id = s.id
        RETURNING d.id
    ), fresh AS (
        INSERT INTO public.webhook_deliveries (
            org_id, id, subscription_id, event_id, event_type, resource_id, sequence,
            status, attempt_count, next_attempt_at
        )
        SELECT p_org, sec.new_uuid7(), p_subscription, s.id, s.type, s.resource_id, s.sequence, 'pending', 0,
            now() + make_interval(secs => (s.turn - 1)::double precision / p_per_second)
        FROM stretch AS s WHERE s.status IS NULL
        ON CONFLICT (org_id, subscription_id, event_id) DO NOTHING
        RETURNING id
    )
    SELECT (SELECT count(*) FROM again)::integer + (SELECT count(*) FROM fresh)::integer, max(s.recorded_at)
    FROM stretch AS s;
    PERFORM sec.line_up(p_org, p_subscription, r.resource_id) FROM (
        SELECT d.resource_id FROM public.webhook_deliveries AS d
        WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.status = 'pending'
        GROUP BY d.resource_id HAVING count(*) FILTER (WHERE NOT d.is_behind) > 1
    ) AS r;
    PERFORM sec.look_again(p_org, p_subscription);
END $$;
