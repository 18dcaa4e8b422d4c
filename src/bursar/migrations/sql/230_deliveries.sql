-- Webhook deliveries in lanes: one lane per endpoint, with its health and its turn.
--
-- A lane says when it is worth a look, so finding work reads as many rows as there are endpoints
-- with work, however many deliveries wait. Within a lane only the first waiting delivery of each
-- resource may go; the ones behind it are marked and looked at when it has ended.

ALTER TABLE webhook_subscriptions
ADD COLUMN paused_at timestamptz,
ADD COLUMN off_reason text CHECK (off_reason IN ('gone', 'failing')),
ADD COLUMN off_at timestamptz,
ADD COLUMN former_secret_sealed bytea,
ADD COLUMN former_secret_until timestamptz,
ADD CONSTRAINT former_secret_has_an_end
CHECK ((former_secret_sealed IS NULL) = (former_secret_until IS NULL));
UPDATE webhook_subscriptions SET off_reason = 'gone', off_at = updated_at
WHERE NOT is_active AND deleted_at IS NULL;
ALTER TABLE webhook_subscriptions
ADD CONSTRAINT off_has_a_reason CHECK (is_active OR deleted_at IS NOT NULL OR off_reason IS NOT NULL);

ALTER TABLE webhook_deliveries
ADD COLUMN is_behind boolean NOT NULL DEFAULT false,
ADD COLUMN tried integer NOT NULL DEFAULT 0;
UPDATE webhook_deliveries SET tried = attempt_count;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_next ON webhook_deliveries (org_id, subscription_id, next_attempt_at)
WHERE status = 'pending' AND NOT is_behind;
CREATE INDEX deliveries_leased ON webhook_deliveries (org_id, subscription_id, lease_until)
WHERE status = 'pending' AND lease_until IS NOT NULL;
CREATE INDEX deliveries_of_endpoint ON webhook_deliveries (org_id, subscription_id, id);
CREATE INDEX deliveries_failed ON webhook_deliveries (
    org_id, subscription_id, coalesce(last_attempt_at, created_at)
) WHERE status = 'failed';

CREATE TABLE webhook_lanes (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    ready_at timestamptz,
    served_at timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0,
    first_failed_at timestamptz,
    went_down_at timestamptz,
    trials integer NOT NULL DEFAULT 0,
    held_until timestamptz,
    PRIMARY KEY (org_id, subscription_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES webhook_subscriptions ON DELETE RESTRICT
) WITH (fillfactor = 50);
CREATE INDEX lanes_ready ON webhook_lanes (ready_at) WHERE ready_at IS NOT NULL;
CALL sec.isolate('webhook_lanes');
GRANT SELECT, INSERT, UPDATE ON webhook_lanes TO bursar_app;
GRANT SELECT ON webhook_lanes TO bursar_backup;

-- Every endpoint has its lane from the start.
CREATE FUNCTION sec.open_lane() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO public.webhook_lanes (org_id, subscription_id) VALUES (new.org_id, new.id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION sec.open_lane() FROM PUBLIC;
CREATE TRIGGER opens_a_lane AFTER INSERT ON webhook_subscriptions
FOR EACH ROW EXECUTE FUNCTION sec.open_lane();
INSERT INTO webhook_lanes (org_id, subscription_id, is_open)
SELECT s.org_id, s.id, s.is_active FROM webhook_subscriptions AS s;

-- When a lane is worth the next look: when its first delivery is due, or, when all its sockets are
-- taken, when the first lease runs out. A lease moves a delivery's own moment to the lease's end.
CREATE FUNCTION sec.lane_ready_at(p_org uuid, p_subscription uuid, p_room integer, p_held_until timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT greatest(
        p_held_until,
        CASE
            WHEN l.count >= p_room THEN l.soonest
            ELSE (
                SELECT min(d.next_attempt_at) FROM public.webhook_deliveries AS d
                WHERE d.org_id = p_org AND d.subscription_id = p_subscription
                    AND d.status = 'pending' AND NOT d.is_behind
            )
        END
    ) FROM (
        SELECT count(*) AS count, min(d.lease_until) AS soonest FROM public.webhook_deliveries AS d
        WHERE d.org_id = p_org AND d.subscription_id = p_subscription
            AND d.status = 'pending' AND d.lease_until > now()
    ) AS l
$$;

-- Looks at a lane again after something in it has changed. The caller holds its row.
CREATE FUNCTION sec.look_again(p_org uuid, p_subscription uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE public.webhook_lanes AS l SET ready_at = CASE
        WHEN l.is_open
            AND EXISTS (
                SELECT 1 FROM public.webhook_deliveries AS d
                WHERE d.org_id = p_org AND d.subscription_id = p_subscription
                    AND d.status = 'pending' AND NOT d.is_behind
            )
            THEN sec.lane_ready_at(p_org, p_subscription, CASE WHEN l.went_down_at IS NOT NULL THEN 1 ELSE 2 END, l.held_until)
    END
    WHERE l.org_id = p_org AND l.subscription_id = p_subscription
$$;

-- Puts the deliveries of one resource in a row: the first that waits may go, the others are behind
-- it. One that is on its way stays as it is. The caller holds the lane's row.
CREATE FUNCTION sec.line_up(p_org uuid, p_subscription uuid, p_resource uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    first_one uuid;
BEGIN
    SELECT d.id INTO first_one FROM public.webhook_deliveries AS d
    WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.resource_id = p_resource
        AND d.status = 'pending'
    ORDER BY d.sequence, d.id LIMIT 1;
    UPDATE public.webhook_deliveries AS d SET is_behind = d.id <> first_one
    WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.resource_id = p_resource
        AND d.status = 'pending' AND d.id = first_one AND d.is_behind;
    UPDATE public.webhook_deliveries AS d SET is_behind = true
    WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.resource_id = p_resource
        AND d.status = 'pending' AND d.id <> first_one AND NOT d.is_behind
        AND (d.lease_until IS NULL OR d.lease_until <= now());
END $$;

-- What follows an attempt: the endpoint's health is kept, the next delivery of the resource comes
-- forward if this one has ended, and the lane is looked at again. The caller holds its row.
CREATE FUNCTION sec.after_attempt(
    p_org uuid, p_subscription uuid, p_ended_resource uuid, p_failures integer,
    p_first_failed_at timestamptz, p_went_down_at timestamptz, p_trials integer, p_held_until timestamptz
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE public.webhook_lanes AS l
    SET failures = p_failures, first_failed_at = p_first_failed_at, went_down_at = p_went_down_at,
        trials = p_trials, held_until = p_held_until
    WHERE l.org_id = p_org AND l.subscription_id = p_subscription;
    IF p_ended_resource IS NOT NULL THEN
        PERFORM sec.line_up(p_org, p_subscription, p_ended_resource);
    END IF;
    PERFORM sec.look_again(p_org, p_subscription);
END $$;

SELECT sec.line_up(d.org_id, d.subscription_id, d.resource_id) FROM (
    SELECT DISTINCT w.org_id, w.subscription_id, w.resource_id FROM webhook_deliveries AS w
    WHERE w.status = 'pending'
) AS d;
SELECT sec.look_again(l.org_id, l.subscription_id) FROM webhook_lanes AS l;

-- Gives each new public event to the endpoints that want it, in order, and moves the cursor in the
-- same transaction. Stays behind the oldest running transaction. Returns how many events it read, or
-- -1 when there are some and a running transaction holds all of them back.
CREATE OR REPLACE FUNCTION sec.relay_events(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    cursor_row sec.relay_cursor;
    read_count integer;
    last_transaction xid8;
    last_event uuid;
    horizon xid8 := pg_snapshot_xmin(pg_current_snapshot());
    orgs uuid[];
BEGIN
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

-- One delivery for each event of a stretch of the log and each endpoint that wants it. The lanes
-- are held first, in order, so that nobody ends a delivery while its successor is put behind it.
CREATE FUNCTION sec.spread_events(
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
            AND s.event_types && ARRAY['*', e.type]
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

-- Claims what is due, a few per endpoint, turn by turn over organizations and then over endpoints.
-- Returns ids only.
CREATE OR REPLACE FUNCTION sec.claim_deliveries(
    p_limit integer, p_per_endpoint integer, p_token uuid, p_lease interval
) RETURNS TABLE (org_id uuid, delivery_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    lanes uuid[];
BEGIN
    WITH ready AS (
        SELECT l.org_id, l.subscription_id, l.served_at,
            row_number() OVER (PARTITION BY l.org_id ORDER BY l.served_at, l.subscription_id) AS turn
        FROM public.webhook_lanes AS l WHERE l.ready_at <= now()
    ), first_ones AS (
        SELECT r.org_id, r.subscription_id FROM ready AS r
        ORDER BY r.turn, r.served_at, r.subscription_id LIMIT p_limit
    ), held AS (
        SELECT l.subscription_id FROM public.webhook_lanes AS l
        JOIN first_ones AS f ON f.org_id = l.org_id AND f.subscription_id = l.subscription_id
        WHERE l.ready_at <= now()
        ORDER BY l.org_id, l.subscription_id FOR UPDATE OF l SKIP LOCKED
    )
    SELECT array_agg(h.subscription_id) INTO lanes FROM held AS h;
    IF lanes IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY WITH held AS (
        SELECT l.org_id, l.subscription_id, l.served_at,
            CASE WHEN l.went_down_at IS NOT NULL THEN 1 ELSE p_per_endpoint END - (
                SELECT count(*) FROM public.webhook_deliveries AS d
                WHERE d.org_id = l.org_id AND d.subscription_id = l.subscription_id
                    AND d.status = 'pending' AND d.lease_until > now()
            ) AS room
        FROM public.webhook_lanes AS l WHERE l.ready_at <= now() AND l.subscription_id = ANY(lanes)
    ), chosen AS (
        SELECT d.org_id, d.id FROM held AS h
        CROSS JOIN LATERAL (
            SELECT w.org_id, w.id, row_number() OVER (ORDER BY w.next_attempt_at, w.id) AS turn
            FROM public.webhook_deliveries AS w
            WHERE w.org_id = h.org_id AND w.subscription_id = h.subscription_id
                AND w.status = 'pending' AND NOT w.is_behind AND w.next_attempt_at <= now()
            ORDER BY w.next_attempt_at LIMIT greatest(h.room, 0)
        ) AS d
        ORDER BY d.turn, h.served_at LIMIT p_limit
    )
    UPDATE public.webhook_deliveries AS d
    SET lease_token = p_token, lease_until = now() + p_lease, next_attempt_at = now() + p_lease
    FROM chosen AS c WHERE d.org_id = c.org_id AND d.id = c.id
    RETURNING d.org_id, d.id;
    UPDATE public.webhook_lanes AS l
    SET served_at = clock_timestamp(),
        ready_at = sec.lane_ready_at(
            l.org_id, l.subscription_id, CASE WHEN l.went_down_at IS NOT NULL THEN 1 ELSE p_per_endpoint END, l.held_until
        )
    WHERE l.ready_at <= now() AND l.subscription_id = ANY(lanes);
END $$;

-- Sends a stretch of the log to one endpoint again, oldest first, so many a second: what `failed`,
-- what it `missed` (and was not even meant for it then), or `all`. What waits already is left alone.
-- Returns how many go, and the moment of the last event it came to.
CREATE FUNCTION sec.replay_events(
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
            AND s.event_types && ARRAY['*', e.type]
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

-- An endpoint is back: what it failed to take since then is taken up again, oldest first and up to a
-- limit, and what waits for a later try goes now.
CREATE FUNCTION sec.bring_back(p_org uuid, p_subscription uuid, p_since timestamptz, p_limit integer)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM public.webhook_lanes AS l
    WHERE l.org_id = p_org AND l.subscription_id = p_subscription FOR UPDATE;
    UPDATE public.webhook_deliveries AS d
    SET status = 'pending', tried = 0, is_behind = false, next_attempt_at = now()
    WHERE d.org_id = p_org AND d.id IN (
        SELECT f.id FROM public.webhook_deliveries AS f
        WHERE f.org_id = p_org AND f.subscription_id = p_subscription AND f.status = 'failed'
            AND coalesce(f.last_attempt_at, f.created_at) >= p_since
        ORDER BY f.id LIMIT p_limit
    );
    UPDATE public.webhook_deliveries AS d SET next_attempt_at = now()
    WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.status = 'pending'
        AND d.next_attempt_at > now() AND (d.lease_until IS NULL OR d.lease_until <= now());
    PERFORM sec.line_up(p_org, p_subscription, r.resource_id) FROM (
        SELECT d.resource_id FROM public.webhook_deliveries AS d
        WHERE d.org_id = p_org AND d.subscription_id = p_subscription AND d.status = 'pending'
        GROUP BY d.resource_id HAVING count(*) FILTER (WHERE NOT d.is_behind) > 1
    ) AS r;
    PERFORM sec.look_again(p_org, p_subscription);
END $$;

-- Whom the bound organization writes to about its own affairs.
CREATE FUNCTION sec.member_addresses(p_roles text[]) RETURNS TABLE (email text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.email, u.name FROM public.members AS m
    JOIN directory.users AS u ON u.id = m.user_id
    WHERE m.org_id = sec.org() AND m.status = 'active' AND m.role = ANY(p_roles) ORDER BY u.email;
END;

REVOKE ALL ON FUNCTION
sec.member_addresses(text[]),
sec.bring_back(uuid, uuid, timestamptz, integer),
sec.lane_ready_at(uuid, uuid, integer, timestamptz), sec.look_again(uuid, uuid),
sec.line_up(uuid, uuid, uuid),
sec.after_attempt(uuid, uuid, uuid, integer, timestamptz, timestamptz, integer, timestamptz),
sec.spread_events(uuid[], xid8, uuid, xid8, uuid),
sec.replay_events(uuid, uuid, timestamptz, timestamptz, text, text[], integer, integer)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
sec.member_addresses(text[]),
sec.bring_back(uuid, uuid, timestamptz, integer),
sec.lane_ready_at(uuid, uuid, integer, timestamptz), sec.look_again(uuid, uuid),
sec.line_up(uuid, uuid, uuid),
sec.after_attempt(uuid, uuid, uuid, integer, timestamptz, timestamptz, integer, timestamptz),
sec.replay_events(uuid, uuid, timestamptz, timestamptz, text, text[], integer, integer)
TO bursar_app;
