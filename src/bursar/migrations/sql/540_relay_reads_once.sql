-- The relay reads the log once for a stretch, and spreads it over the partitions that hold it: each of
-- three statements opened every month's partition, which took longer than all they did there. Its plans
-- are made once a session: anew each time, over all partitions, they took half a millisecond. A plan of a
-- time when a month was all but empty would read it whole, and be kept.
DROP FUNCTION sec.spread_events(uuid[], xid8, uuid, xid8, uuid);

-- One delivery for each event of a stretch of the log and each endpoint that wants it. The lanes
-- are held first, in order, so that nobody ends a delivery while its successor is put behind it.
-- The least and the greatest id of the stretch say which partitions hold it.
CREATE FUNCTION sec.spread_events(
    p_orgs uuid[], p_from_transaction xid8, p_from_event uuid, p_to_transaction xid8, p_to_event uuid,
    p_least_id uuid, p_greatest_id uuid
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
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
            AND e.id >= p_least_id AND e.id <= p_greatest_id
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
REVOKE ALL ON FUNCTION sec.spread_events(uuid[], xid8, uuid, xid8, uuid, uuid, uuid) FROM PUBLIC;

-- Gives each new public event to the endpoints that want it, in order, and moves the cursor in the
-- same transaction. Stays behind the oldest running transaction. Returns how many events it passed on,
-- or -1 when there are some and a running transaction holds all of them back.
-- It reads before it takes the cursor: whoever finds nothing to pass on takes no lock and no number, so
-- that an idle worker writes nothing, and is in the way of nobody who is waited for. What was read stays
-- so while the cursor does: every transaction before the horizon has ended.
CREATE OR REPLACE FUNCTION sec.relay_events(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    seen sec.relay_cursor;
    held sec.relay_cursor;
    found_count integer;
    free_count integer;
    last_transaction xid8;
    last_event uuid;
    ids uuid[];
    orgs uuid[];
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
BEGIN
    SELECT * INTO seen FROM sec.relay_cursor;
    LOOP
        SELECT count(*), count(*) FILTER (WHERE f.is_free),
            (array_agg(f.transaction_id ORDER BY f.transaction_id DESC, f.id DESC) FILTER (WHERE f.is_free))[1],
            (array_agg(f.id ORDER BY f.transaction_id DESC, f.id DESC) FILTER (WHERE f.is_free))[1],
            array_agg(f.id ORDER BY f.id) FILTER (WHERE f.is_free AND f.is_public),
            array_agg(DISTINCT f.org_id) FILTER (WHERE f.is_free AND f.is_public)
        INTO found_count, free_count, last_transaction, last_event, ids, orgs
        FROM (
            SELECT e.org_id, e.id, e.is_public, e.transaction_id, e.transaction_id < horizon AS is_free
            FROM public.events AS e
            WHERE (e.transaction_id, e.id) > (seen.transaction_id, seen.event_id)
            ORDER BY e.transaction_id, e.id LIMIT p_limit
        ) AS f;
        IF free_count = 0 THEN
            RETURN CASE WHEN found_count = 0 THEN 0 ELSE -1 END;
        END IF;
        SELECT * INTO held FROM sec.relay_cursor FOR UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            RETURN 0;
        END IF;
        EXIT WHEN held = seen;
        seen := held;
    END LOOP;
    IF orgs IS NOT NULL THEN
        PERFORM sec.spread_events(
            orgs, seen.transaction_id, seen.event_id, last_transaction, last_event,
            ids[1], ids[cardinality(ids)]
        );
    END IF;
    UPDATE sec.relay_cursor SET transaction_id = last_transaction, event_id = last_event;
    RETURN free_count;
END $$;
