-- Erasure of a person's data, and the archive of old partitions.
--
-- What an event says of a person stands apart from the rest of it, beside its digest. The chain
-- covers the digest, so what stands apart can be taken out and the chain still holds. The digest is
-- over a random salt too, so that nobody finds by guessing what it was made of.

ALTER TABLE customers ADD COLUMN erased_at timestamptz,
ADD CONSTRAINT erased_is_deleted CHECK (erased_at IS NULL OR deleted_at IS NOT NULL);

ALTER TABLE events ADD COLUMN personal_digest bytea,
ADD CONSTRAINT personal_has_its_digest
CHECK (personal IS NULL OR personal_digest IS NOT DISTINCT FROM sha256(personal));

-- The log stays append-only but for one thing: what stands apart may go, as a whole.
CREATE PROCEDURE sec.guard_log(target regclass)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS append_only ON %s', target);
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE OR UPDATE OF org_id, id, type, '
        'payload_version, is_public, resource_type, resource_id, sequence, actor, reason, request_id, '
        'occurred_at, recorded_at, snapshot, previous, transaction_id, address, personal_digest ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change()',
        target
    );
END $$;
REVOKE ALL ON PROCEDURE sec.guard_log(regclass) FROM PUBLIC;
CREATE OR REPLACE PROCEDURE sec.guard_partition(target regclass)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    CALL sec.isolate(target);
    CALL sec.guard_log(target);
END $$;
CREATE TRIGGER only_goes BEFORE UPDATE OF personal ON events
FOR EACH ROW WHEN (new.personal IS NOT NULL) EXECUTE FUNCTION sec.refuse_change();
DO $$
DECLARE
    partition regclass;
BEGIN
    CALL sec.guard_log('public.events');
    FOR partition IN SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = 'public.events'::regclass LOOP
        CALL sec.guard_log(partition);
    END LOOP;
END $$;

-- What the chain hashes of what stands apart: its digest, made anew while it is there. Something
-- that is gone must be gone because its person was erased, as the log itself says.
CREATE FUNCTION sec.personal_word(p_org uuid, p_resource uuid, p_personal bytea, p_digest bytea) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE
        WHEN p_personal IS NOT NULL THEN 'personal:' || encode(sha256(p_personal), 'hex')
        WHEN EXISTS (
            SELECT 1 FROM public.events AS e
            WHERE e.org_id = p_org AND e.resource_id = p_resource
                AND e.type IN ('customer.erased', 'payment_method.erased')
        ) THEN 'personal:' || encode(p_digest, 'hex')
        ELSE 'stripped'
    END
$$;

-- Takes out what the log, mails and answers of endpoints say of a customer of the bound
-- organization, and of what they were charged by. Their rows are no longer theirs by then. Returns
-- how many rows said something.
CREATE FUNCTION sec.forget_customer(
    p_customer uuid, OUT events integer, OUT mails integer, OUT answers integer
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    org uuid := sec.org();
    theirs uuid[];
BEGIN
    SELECT array_agg(m.id) || p_customer INTO theirs FROM public.payment_methods AS m
    WHERE m.org_id = org AND m.customer_id = p_customer;
    WITH told AS (
        SELECT e.id FROM public.events AS e WHERE e.org_id = org AND e.resource_id = ANY(theirs)
    ), blanked AS (
        UPDATE public.webhook_attempts AS a SET excerpt = ''
        FROM public.webhook_subscriptions AS s, told AS t, public.webhook_deliveries AS d
        WHERE s.org_id = org AND d.org_id = org AND d.subscription_id = s.id AND d.event_id = t.id
            AND a.org_id = org AND a.delivery_id = d.id AND a.excerpt <> ''
        RETURNING 1
    )
    SELECT count(*) INTO answers FROM blanked;
    WITH blanked AS (
        UPDATE public.mails AS m SET
            recipient = 'erased@erased.invalid', parameters_sealed = NULL, reference = NULL, failure = NULL,
            status = CASE WHEN m.status = 'sent' THEN 'sent' ELSE 'failed' END,
            settled_at = coalesce(m.settled_at, now())
        FROM public.invoices AS i
        WHERE i.org_id = org AND i.customer_id = p_customer AND m.org_id = org AND m.invoice_id = i.id
        RETURNING 1
    )
    SELECT count(*) INTO mails FROM blanked;
    WITH forgotten AS (
        UPDATE public.events AS e SET personal = NULL
        WHERE e.org_id = org AND e.resource_id = ANY(theirs) AND e.personal IS NOT NULL
        RETURNING 1
    )
    SELECT count(*) INTO events FROM forgotten;
END $$;

REVOKE ALL ON FUNCTION
sec.personal_word(uuid, uuid, bytea, bytea), sec.forget_customer(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
sec.personal_word(uuid, uuid, bytea, bytea), sec.forget_customer(uuid) TO bursar_app;

-- After how long an endpoint is tried again, once for each.
ALTER TABLE webhook_subscriptions
ADD COLUMN retry_delays_seconds integer[] NOT NULL DEFAULT '{60,300,1800,7200,43200}'
CHECK (cardinality(retry_delays_seconds) BETWEEN 1 AND 10);

-- Months of the log that were written to files and let go; their seals stay, so the chain goes on.
CREATE TABLE event_archives (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    from_id uuid NOT NULL,
    before_id uuid NOT NULL,
    link_count bigint NOT NULL CHECK (link_count > 0),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    archived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, from_id),
    CONSTRAINT archives_something CHECK (from_id < before_id)
);
CALL sec.isolate('event_archives');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_archives
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
GRANT SELECT ON event_archives TO bursar_app;
GRANT SELECT ON event_archives TO bursar_backup;

-- Whether an event that is gone was archived.
CREATE FUNCTION sec.is_archived(p_org uuid, p_event uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM public.event_archives AS a
        WHERE a.org_id = p_org AND p_event >= a.from_id AND p_event < a.before_id
    )
$$;

-- Lets a month of the log go, once all of it is sealed, relayed, delivered and in the files that
-- are named, an organization each. For the owner of the tables alone.
CREATE FUNCTION sec.let_go_of_events(p_month date, p_orgs uuid[], p_counts bigint[], p_digests bytea[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    starts timestamptz := date_trunc('month', p_month::timestamp) AT TIME ZONE 'UTC';
    ends timestamptz := (date_trunc('month', p_month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    first_id uuid := sec.first_id_at(starts);
    before_id uuid := sec.first_id_at(ends);
    partition regclass := to_regclass('public.events_' || to_char(p_month, 'YYYY_MM'));
BEGIN
    IF partition IS NULL OR ends > now() - interval '1 day' THEN
        RAISE EXCEPTION 'the month % is not over, or not there', to_char(p_month, 'YYYY-MM');
    END IF;
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', partition);
    IF EXISTS (
        SELECT 1 FROM public.events AS e
        LEFT JOIN public.event_seals AS s ON s.org_id = e.org_id AND s.event_id = e.id
        WHERE e.id >= first_id AND e.id < before_id AND s.event_id IS NULL
    ) OR EXISTS (
        SELECT 1 FROM public.events AS e, sec.relay_cursor AS c
        WHERE e.id >= first_id AND e.id < before_id
            AND (e.transaction_id, e.id) > (c.transaction_id, c.event_id)
    ) OR EXISTS (
        SELECT 1 FROM public.webhook_deliveries AS d
        WHERE d.status = 'pending' AND d.event_id >= first_id AND d.event_id < before_id
    ) THEN
        RAISE EXCEPTION 'some of the month is not sealed, relayed or delivered yet';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (
            SELECT e.org_id, count(*) AS count FROM public.events AS e
            WHERE e.id >= first_id AND e.id < before_id GROUP BY e.org_id
        ) AS held
        FULL JOIN unnest(p_orgs, p_counts) AS kept (org_id, count) ON kept.org_id = held.org_id
        WHERE held.count IS DISTINCT FROM kept.count
    ) THEN
        RAISE EXCEPTION 'the files do not hold what the month holds';
    END IF;
    INSERT INTO public.event_archives (org_id, from_id, before_id, link_count, digest)
    SELECT k.org_id, first_id, before_id, k.count, k.digest
    FROM unnest(p_orgs, p_counts, p_digests) AS k (org_id, count, digest);
    EXECUTE format('DROP TABLE %s', partition);
END $$;

-- Who told something in a stretch of time. For the owner of the tables alone.
CREATE FUNCTION sec.who_told(p_from timestamptz, p_before timestamptz) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT e.org_id FROM public.events AS e
    WHERE e.id >= sec.first_id_at(p_from) AND e.id < sec.first_id_at(p_before)
$$;

-- Removes deliveries that ended long ago, with their attempts; those that wait stay. Goes endpoint
-- by endpoint along their ids, which are in order of time.
CREATE FUNCTION sec.forget_deliveries(p_before timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    orgs uuid[];
    old uuid[];
BEGIN
    SELECT array_agg(o.org_id), array_agg(o.id) INTO orgs, old FROM (
        SELECT s.org_id, d.id FROM public.webhook_subscriptions AS s
        CROSS JOIN LATERAL (
            SELECT w.id FROM public.webhook_deliveries AS w
            WHERE w.org_id = s.org_id AND w.subscription_id = s.id AND w.id < sec.first_id_at(p_before)
                AND w.status <> 'pending' AND coalesce(w.last_attempt_at, w.created_at) < p_before
            ORDER BY w.id LIMIT p_limit
        ) AS d
        LIMIT p_limit
    ) AS o;
    IF old IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM public.webhook_attempts AS a USING unnest(orgs, old) AS o (org_id, id)
    WHERE a.org_id = o.org_id AND a.delivery_id = o.id;
    DELETE FROM public.webhook_deliveries AS d USING unnest(orgs, old) AS o (org_id, id)
    WHERE d.org_id = o.org_id AND d.id = o.id;
    RETURN cardinality(old);
END $$;

-- What follows a good answer of an endpoint that is well, in one call: the delivery has ended, the
-- attempt is kept, the next one of the resource comes forward and the lane is looked at again. False
-- when the lease is lost or the endpoint was not well; then nothing was done.
CREATE FUNCTION sec.delivered(
    p_org uuid, p_delivery uuid, p_lease uuid, p_status integer, p_duration_ms integer, p_excerpt text
) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    lane record;
    tries integer;
BEGIN
    SELECT l.subscription_id, d.resource_id INTO lane
    FROM public.webhook_deliveries AS d
    JOIN public.webhook_lanes AS l ON l.org_id = d.org_id AND l.subscription_id = d.subscription_id
    WHERE d.org_id = p_org AND d.id = p_delivery AND d.lease_token = p_lease AND d.status = 'pending'
        AND l.failures = 0 AND l.first_failed_at IS NULL AND l.went_down_at IS NULL
        AND l.trials = 0 AND l.held_until IS NULL
    FOR UPDATE OF l;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE public.webhook_deliveries AS d SET
        status = 'delivered', attempt_count = d.attempt_count + 1, tried = d.tried + 1,
        next_attempt_at = NULL, last_attempt_at = now(), last_status = p_status,
        lease_token = NULL, lease_until = NULL
    WHERE d.org_id = p_org AND d.id = p_delivery AND d.lease_token = p_lease AND d.status = 'pending'
    RETURNING d.attempt_count INTO tries;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO public.webhook_attempts (org_id, delivery_id, attempt, duration_ms, status, excerpt)
    VALUES (p_org, p_delivery, tries, p_duration_ms, p_status, p_excerpt);
    IF EXISTS (
        SELECT 1 FROM public.webhook_deliveries AS d
        WHERE d.org_id = p_org AND d.subscription_id = lane.subscription_id
            AND d.resource_id = lane.resource_id AND d.status = 'pending'
    ) THEN
        PERFORM sec.line_up(p_org, lane.subscription_id, lane.resource_id);
    END IF;
    PERFORM sec.look_again(p_org, lane.subscription_id);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION
sec.delivered(uuid, uuid, uuid, integer, integer, text),
sec.let_go_of_events(date, uuid[], bigint[], bytea[]), sec.who_told(timestamptz, timestamptz),
sec.is_archived(uuid, uuid), sec.forget_deliveries(timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
sec.delivered(uuid, uuid, uuid, integer, integer, text),
sec.is_archived(uuid, uuid), sec.forget_deliveries(timestamptz, integer) TO bursar_app;
-- These do with the rights of whoever calls them; the application may neither lock nor drop the log.
GRANT EXECUTE ON FUNCTION
sec.let_go_of_events(date, uuid[], bigint[], bytea[]), sec.who_told(timestamptz, timestamptz) TO bursar_app;
