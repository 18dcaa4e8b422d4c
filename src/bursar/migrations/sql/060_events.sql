-- The event log: one append-only table for the audit trail, timelines, webhooks and the feed.
--
-- Readers follow it by (transaction id, event id) and stay behind the oldest running transaction,
-- so an event that commits late is never skipped. Hashes live in a table of their own, written by
-- the sealer, so that writers never wait for each other.

CREATE TABLE events (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    type text NOT NULL,
    payload_version smallint NOT NULL,
    is_public boolean NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    sequence integer NOT NULL,
    actor text NOT NULL,
    reason text,
    request_id text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    snapshot jsonb NOT NULL,
    previous jsonb,
    personal bytea,
    transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (org_id, id)
) PARTITION BY RANGE (id);
CREATE INDEX events_in_order ON events (transaction_id, id);
CREATE INDEX events_of_org ON events (org_id, transaction_id, id);
CREATE INDEX events_of_resource ON events (org_id, resource_id, sequence);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();

-- A statement that names a partition passes by the parent's policy and statement triggers.
CREATE PROCEDURE sec.guard_partition(target regclass)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CALL sec.isolate(target);
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change()',
        target
    );
END $$;
REVOKE ALL ON PROCEDURE sec.guard_partition(regclass) FROM PUBLIC;
CALL sec.guard_partition('events_default');

-- The smallest UUIDv7 of a moment: where a month's partition begins.
CREATE FUNCTION sec.first_id_at(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT (lpad(to_hex((EXTRACT(EPOCH FROM p_at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid;
END;

-- Makes the months' partitions ahead of time; a month that exists is left alone.
CREATE PROCEDURE sec.extend_events(p_months integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month timestamptz;
    partition text;
BEGIN
    FOR ahead IN 0..p_months LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(months => ahead);
        partition := 'events_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass('public.' || partition) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE public.%I PARTITION OF public.events FOR VALUES FROM (%L) TO (%L)',
                partition, sec.first_id_at(month), sec.first_id_at(month + interval '1 month')
            );
            CALL sec.guard_partition(('public.' || quote_ident(partition))::regclass);
        END IF;
    END LOOP;
END $$;
REVOKE ALL ON PROCEDURE sec.extend_events(integer) FROM PUBLIC;
CALL sec.extend_events(13);

CREATE TABLE event_seals (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    position bigint NOT NULL,
    event_id uuid NOT NULL,
    transaction_id xid8 NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (org_id, position),
    UNIQUE (org_id, event_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_seals
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();

CREATE TABLE webhook_subscriptions (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    url text NOT NULL CHECK (length(url) <= 2048),
    event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
    description text,
    secret_sealed bytea NOT NULL,
    is_active boolean NOT NULL,
    deleted_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);

-- The relay asks for each batch of events who listens.
CREATE INDEX subscriptions_active ON webhook_subscriptions (org_id) WHERE is_active;

-- One row per event and endpoint, waiting for its turn; its attempts are kept beside it.
CREATE TABLE webhook_deliveries (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    resource_id uuid NOT NULL,
    sequence integer NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempt_count integer NOT NULL,
    next_attempt_at timestamptz,
    lease_token uuid,
    lease_until timestamptz,
    last_attempt_at timestamptz,
    last_status integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, subscription_id, event_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES webhook_subscriptions ON DELETE RESTRICT,
    CONSTRAINT waits_when_pending CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX deliveries_due ON webhook_deliveries (next_attempt_at) WHERE status = 'pending';
CREATE INDEX deliveries_in_order ON webhook_deliveries (org_id, subscription_id, resource_id, sequence)
WHERE status = 'pending';

CREATE TABLE webhook_attempts (
    org_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    attempt integer NOT NULL,
    attempted_at timestamptz NOT NULL DEFAULT now(),
    duration_ms integer NOT NULL,
    status integer,
    failure text,
    excerpt text NOT NULL CHECK (length(excerpt) <= 1000),
    PRIMARY KEY (org_id, delivery_id, attempt),
    FOREIGN KEY (org_id, delivery_id) REFERENCES webhook_deliveries ON DELETE RESTRICT
);

-- How far the relay has read the log for everybody.
CREATE TABLE sec.relay_cursor (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    transaction_id xid8 NOT NULL,
    event_id uuid NOT NULL
);
INSERT INTO sec.relay_cursor (transaction_id, event_id) VALUES ('0', '00000000-0000-0000-0000-000000000000');

-- Gives each new public event to the endpoints that want it, in order, and moves the cursor in the
-- same transaction. Stays behind the oldest running transaction. Returns how many events it read.
CREATE FUNCTION sec.relay_events(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    cursor_row sec.relay_cursor;
    read_count integer;
    last_transaction xid8;
    last_event uuid;
BEGIN
    SELECT * INTO cursor_row FROM sec.relay_cursor FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    WITH fresh AS MATERIALIZED (
        SELECT e.org_id, e.id, e.type, e.is_public, e.resource_id, e.sequence, e.transaction_id
        FROM public.events AS e
        WHERE (e.transaction_id, e.id) > (cursor_row.transaction_id, cursor_row.event_id)
            AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
        ORDER BY e.transaction_id, e.id
        LIMIT p_limit
    ), spread AS (
        INSERT INTO public.webhook_deliveries (
            org_id, id, subscription_id, event_id, event_type, resource_id, sequence,
            status, attempt_count, next_attempt_at
        )
        SELECT f.org_id, sec.new_uuid7(), s.id, f.id, f.type, f.resource_id, f.sequence, 'pending', 0, now()
        FROM fresh AS f
        JOIN public.webhook_subscriptions AS s ON s.org_id = f.org_id AND s.is_active
            AND s.event_types && ARRAY['*', f.type]
        WHERE f.is_public
        ON CONFLICT (org_id, subscription_id, event_id) DO NOTHING
    )
    SELECT count(*), (array_agg(f.transaction_id ORDER BY f.transaction_id DESC, f.id DESC))[1],
        (array_agg(f.id ORDER BY f.transaction_id DESC, f.id DESC))[1]
    INTO read_count, last_transaction, last_event FROM fresh AS f;
    IF read_count > 0 THEN
        UPDATE sec.relay_cursor SET transaction_id = last_transaction, event_id = last_event;
    END IF;
    RETURN read_count;
END $$;

-- A UUIDv7 made by the database, for rows that only the database writes.
CREATE FUNCTION sec.new_uuid7() RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT encode(
        set_byte(
            overlay(
                uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6
            ),
            6, (get_byte(uuid_send(gen_random_uuid()), 6) & 15) | 112
        ), 'hex'
    )::uuid
$$;

-- Claims what is due, a few per endpoint and turn by turn over organizations. A later event of the
-- same resource waits until the earlier one is delivered or given up. Returns ids only.
CREATE FUNCTION sec.claim_deliveries(p_limit integer, p_per_endpoint integer, p_token uuid, p_lease interval)
RETURNS TABLE (org_id uuid, delivery_id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT d.org_id, d.id, d.subscription_id, d.next_attempt_at,
            row_number() OVER (PARTITION BY d.org_id, d.subscription_id ORDER BY d.next_attempt_at, d.id) AS turn
        FROM public.webhook_deliveries AS d
        WHERE d.status = 'pending' AND d.next_attempt_at <= now()
            AND (d.lease_until IS NULL OR d.lease_until < now())
            AND NOT EXISTS (
                SELECT 1 FROM public.webhook_deliveries AS earlier
                WHERE earlier.org_id = d.org_id AND earlier.subscription_id = d.subscription_id
                    AND earlier.resource_id = d.resource_id AND earlier.sequence < d.sequence
                    AND earlier.status = 'pending'
            )
    ), chosen AS (
        SELECT d.org_id, d.id FROM due AS d WHERE d.turn <= p_per_endpoint
        ORDER BY d.turn, d.next_attempt_at LIMIT p_limit
    ), locked AS (
        SELECT d.org_id, d.id FROM public.webhook_deliveries AS d
        JOIN chosen AS c ON c.org_id = d.org_id AND c.id = d.id
        WHERE d.status = 'pending' AND (d.lease_until IS NULL OR d.lease_until < now())
        FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE public.webhook_deliveries AS d SET lease_token = p_token, lease_until = now() + p_lease
    FROM locked AS l WHERE d.org_id = l.org_id AND d.id = l.id
    RETURNING d.org_id, d.id
$$;

-- Organizations with events that the chain does not cover yet.
CREATE FUNCTION sec.unsealed_orgs(p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.org_id FROM public.organizations AS o
    LEFT JOIN LATERAL (
        SELECT s.transaction_id, s.event_id FROM public.event_seals AS s
        WHERE s.org_id = o.org_id ORDER BY s.position DESC LIMIT 1
    ) AS head ON true
    WHERE EXISTS (
        SELECT 1 FROM public.events AS e
        WHERE e.org_id = o.org_id AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
            AND (e.transaction_id, e.id)
            > (coalesce(head.transaction_id, '0'), coalesce(head.event_id, '00000000-0000-0000-0000-000000000000'))
    ) LIMIT p_limit
$$;

-- How far behind the log the relay is: seconds since its oldest unread event, zero when it is level.
CREATE FUNCTION sec.relay_lag() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(extract(epoch FROM now() - min(e.recorded_at)), 0)::double precision
    FROM public.events AS e, sec.relay_cursor AS c
    WHERE (e.transaction_id, e.id) > (c.transaction_id, c.event_id)
$$;
