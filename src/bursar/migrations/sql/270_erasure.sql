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
            WHERE e.org_id = p_org AND e.resource_id = p_resource AND e.type = 'customer.erased'
        ) THEN 'personal:' || encode(p_digest, 'hex')
        ELSE 'stripped'
    END
$$;

-- Takes out what the log, mails and answers of endpoints say of a customer of the bound
-- organization. Their row is no longer theirs by then. Returns how many rows said something.
CREATE FUNCTION sec.forget_customer(
    p_customer uuid, OUT events integer, OUT mails integer, OUT answers integer
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    org uuid := sec.org();
BEGIN
    WITH told AS (
        SELECT e.id FROM public.events AS e WHERE e.org_id = org AND e.resource_id = p_customer
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
        WHERE e.org_id = org AND e.resource_id = p_customer AND e.personal IS NOT NULL
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
