-- The signed tenant context: which organization a transaction speaks for.
--
-- The application signs "organization|backend pid|expiry" with a key that only the owner can read.
-- Row-level security compares org_id with sec.org(), which checks that signature; so SQL run under
-- the application's role, however it got there, reads no other organization's rows. No context is
-- an error, never an empty answer.

CREATE SCHEMA sec;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public, sec TO bursar_app;

CREATE TABLE sec.context_keys (
    id smallint PRIMARY KEY,
    inner_pad bytea NOT NULL CHECK (length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (length(outer_pad) = 64)
);

CREATE FUNCTION sec.org() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    context text := current_setting('bursar.context', true);
    message text;
    good boolean;
BEGIN
    IF context IS NULL OR context = '' THEN
        RAISE EXCEPTION 'no organization is bound' USING ERRCODE = '42501';
    END IF;
    message := left(context, length(context) - 65);
    SELECT bool_or(
        encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(message, 'UTF8'))), 'hex')
        = right(context, 64)
    ) INTO good FROM sec.context_keys AS k;
    IF good IS NOT TRUE
        OR split_part(message, '|', 2) <> pg_backend_pid()::text
        OR split_part(message, '|', 3)::bigint < extract(epoch FROM clock_timestamp())
    THEN
        RAISE EXCEPTION 'the bound organization is not signed for this session' USING ERRCODE = '42501';
    END IF;
    RETURN split_part(message, '|', 1)::uuid;
END $$;

-- A row belongs to its organization for ever, whoever writes.
CREATE FUNCTION sec.refuse_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a row of % cannot change its organization', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;

-- Called once for each tenant table and partition: rows of one organization only, also for the
-- table's owner. A partition takes its row triggers from its parent.
CREATE PROCEDURE sec.isolate(target regclass)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY own_rows ON %s USING (org_id = (SELECT sec.org())) WITH CHECK (org_id = (SELECT sec.org()))',
        target
    );
    IF NOT (SELECT c.relispartition FROM pg_class AS c WHERE c.oid = target) THEN
        EXECUTE format(
            'CREATE TRIGGER org_stays BEFORE UPDATE OF org_id ON %s FOR EACH ROW '
            'WHEN (old.org_id IS DISTINCT FROM new.org_id) EXECUTE FUNCTION sec.refuse_move()',
            target
        );
    END IF;
END $$;
REVOKE ALL ON PROCEDURE sec.isolate(regclass) FROM PUBLIC;
