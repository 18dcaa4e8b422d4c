-- Gives each new public event to the endpoints that want it, in order, and moves the cursor in the
-- same transaction. Stays behind the oldest running transaction. Returns how many events it read, or
-- -1 when there are some and a running transaction holds all of them back.
-- It looks before it takes the cursor: whoever finds nothing to pass on takes no lock and no number,
-- so that an idle worker writes nothing, and is in the way of nobody who is waited for.
CREATE OR REPLACE FUNCTION sec.relay_events(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    cursor_row sec.relay_cursor;
    first_waiting xid8;
    read_count integer;
    last_transaction xid8;
    last_event uuid;
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    orgs uuid[];
BEGIN
    SELECT * INTO cursor_row FROM sec.relay_cursor;
    SELECT e.transaction_id INTO first_waiting FROM public.events AS e
    WHERE (e.transaction_id, e.id) > (cursor_row.transaction_id, cursor_row.event_id)
    ORDER BY e.transaction_id, e.id LIMIT 1;
    IF first_waiting IS NULL OR first_waiting >= horizon THEN
        RETURN CASE WHEN first_waiting IS NULL THEN 0 ELSE -1 END;
    END IF;
    SELECT * INTO cursor_row FROM sec.relay_cursor FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    SELECT count(*), (array_agg(f.transaction_id ORDER BY f.transaction_id DESC, f.id DESC))[1],
        (array_agg(f.id ORDER BY f.transaction_id DESC, f.id DESC))[1],
        array_agg(DISTINCT f.org_id) FILTER (WHERE f.is_public)
    INTO read_count, last_transaction, last_event, orgs
    FROM (
        SELECT e.org_id, e.id, e.is_public, e.transaction_id FROM public.events AS e
        WHERE (e.transaction_id, e.id) > (cursor_row.transaction_id, cursor_row.event_id)
            AND e.transaction_id < horizon
        ORDER BY e.transaction_id, e.id LIMIT p_limit
    ) AS f;
    IF read_count = 0 THEN
        PERFORM 1 FROM public.events AS e
        WHERE (e.transaction_id, e.id) > (cursor_row.transaction_id, cursor_row.event_id) LIMIT 1;
        RETURN CASE WHEN found THEN -1 ELSE 0 END;
    END IF;
    IF orgs IS NOT NULL THEN
        PERFORM sec.spread_events(orgs, cursor_row.transaction_id, cursor_row.event_id, last_transaction, last_event);
    END IF;
    UPDATE sec.relay_cursor SET transaction_id = last_transaction, event_id = last_event;
    RETURN read_count;
END $$;
