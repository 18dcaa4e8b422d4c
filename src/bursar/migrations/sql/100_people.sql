-- People at the door: verified addresses, sessions that can be seen and ended, second factors, tokens
-- sent by mail, and how often who tried. All of it belongs to bursar_directory; the application
-- reaches it through the sec functions only.
--
-- A function about "oneself" takes no person: it acts for the scope that is bound and signed. Inside
-- an organization that scope is nobody, so nothing there touches an account.

GRANT CREATE ON SCHEMA sec TO bursar_directory;
GRANT EXECUTE ON FUNCTION sec.org() TO bursar_directory;

DROP FUNCTION sec.find_user(text);
DROP FUNCTION sec.user_by_id(uuid);
DROP FUNCTION sec.rehash_user(uuid, text);
DROP FUNCTION sec.open_session(uuid, uuid, bytea, interval, interval);
DROP FUNCTION sec.rotate_session(bytea[], bytea, interval);
DROP FUNCTION sec.close_session(bytea[]);

ALTER TABLE directory.users ADD COLUMN verified_at timestamptz;
ALTER TABLE directory.sessions
ADD COLUMN address text,
ADD COLUMN user_agent text CHECK (length(user_agent) <= 200),
ADD COLUMN used_at timestamptz;

CREATE TABLE directory.factors (
    user_id uuid PRIMARY KEY REFERENCES directory.users ON DELETE RESTRICT,
    secret_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    -- The last step of 30 seconds whose code was taken: none is taken twice.
    last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE directory.recovery_codes (
    hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES directory.users ON DELETE RESTRICT,
    used_at timestamptz
);
CREATE INDEX recovery_codes_by_user ON directory.recovery_codes (user_id);

CREATE TABLE directory.mail_tokens (
    hash bytea PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES directory.users ON DELETE RESTRICT,
    purpose text NOT NULL CHECK (purpose IN ('verify', 'reset')),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX mail_tokens_by_user ON directory.mail_tokens (user_id);
CREATE INDEX mail_tokens_by_age ON directory.mail_tokens (expires_at);

-- Tries at an account, which may not exist: known by a keyed hash of the address that was typed.
CREATE TABLE directory.tried_accounts (
    account bytea PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0,
    failed_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE TABLE directory.tries (
    account bytea NOT NULL,
    address text NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL DEFAULT now(),
    failed_at timestamptz,
    succeeded_at timestamptz,
    PRIMARY KEY (account, address)
) WITH (fillfactor = 70);
CREATE INDEX tries_by_age ON directory.tries (begun_at);

ALTER TABLE directory.factors OWNER TO bursar_directory;
ALTER TABLE directory.recovery_codes OWNER TO bursar_directory;
ALTER TABLE directory.mail_tokens OWNER TO bursar_directory;
ALTER TABLE directory.tried_accounts OWNER TO bursar_directory;
ALTER TABLE directory.tries OWNER TO bursar_directory;
GRANT SELECT ON ALL TABLES IN SCHEMA directory TO bursar_owner;

-- What people did at the door, in the scope of the person: see the decision on scopes.
CREATE TABLE auth_events (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    actor text NOT NULL,
    address text,
    reason text,
    request_id text NOT NULL,
    facts jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON auth_events
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
CALL sec.isolate('auth_events');
GRANT SELECT, INSERT ON auth_events TO bursar_app;
GRANT SELECT ON auth_events TO bursar_backup;

CREATE FUNCTION sec.user_by_id(p_id uuid)
RETURNS TABLE (
    id uuid, email text, name text, is_operator boolean, verified_at timestamptz, created_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.email, u.name, u.is_operator, u.verified_at, u.created_at
    FROM directory.users AS u WHERE u.id = p_id;
END;

CREATE FUNCTION sec.find_user(p_email text)
RETURNS TABLE (
    id uuid, email text, name text, is_operator boolean, verified_at timestamptz,
    created_at timestamptz, password_hash text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.email, u.name, u.is_operator, u.verified_at, u.created_at, u.password_hash
    FROM directory.users AS u WHERE u.email = p_email AND sec.is_outside_orgs();
END;

CREATE FUNCTION sec.own_password() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.password_hash FROM directory.users AS u WHERE u.id = sec.org();
END;

CREATE FUNCTION sec.set_password(p_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.users SET password_hash = p_hash WHERE id = sec.org();
END;

CREATE FUNCTION sec.verify_user() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.users SET verified_at = coalesce(verified_at, now()) WHERE id = sec.org();
END;

CREATE FUNCTION sec.open_session(
    p_session uuid, p_hash bytea, p_session_life interval, p_token_life interval,
    p_address text, p_user_agent text
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO directory.sessions (id, user_id, created_at, expires_at, address, user_agent)
    SELECT p_session, u.id, now(), now() + p_session_life, p_address, p_user_agent
    FROM directory.users AS u WHERE u.id = sec.org();
    INSERT INTO directory.refresh_tokens (hash, session_id, expires_at)
    VALUES (p_hash, p_session, now() + p_token_life)
$$;

-- Exchanges a refresh token: 'ok' with its session; 'reused' once it was used, which ends its
-- session, and is_ended says whether it lived until now; 'bad' otherwise. Of several uses at once one
-- UPDATE finds the token unused; the others wait for it and find it used.
CREATE FUNCTION sec.rotate_session(
    p_hashes bytea[], p_new_hash bytea, p_token_life interval, p_address text,
    OUT verdict text, OUT session_id uuid, OUT user_id uuid, OUT is_ended boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    is_ended := false;
    IF NOT sec.is_outside_orgs() THEN
        RETURN;
    END IF;
    UPDATE directory.refresh_tokens AS t SET used_at = now() FROM directory.sessions AS s
    WHERE t.hash = ANY (p_hashes) AND t.used_at IS NULL AND t.expires_at > now()
        AND s.id = t.session_id AND s.revoked_at IS NULL AND s.expires_at > now()
    RETURNING s.id, s.user_id INTO session_id, user_id;
    IF FOUND THEN
        INSERT INTO directory.refresh_tokens (hash, session_id, expires_at)
        VALUES (p_new_hash, rotate_session.session_id, now() + p_token_life);
        UPDATE directory.sessions AS s SET used_at = now(), address = p_address
        WHERE s.id = rotate_session.session_id;
        verdict := 'ok';
        RETURN;
    END IF;
    SELECT s.id, s.user_id INTO session_id, user_id
    FROM directory.refresh_tokens AS t JOIN directory.sessions AS s ON s.id = t.session_id
    WHERE t.hash = ANY (p_hashes) AND t.used_at IS NOT NULL;
    IF NOT FOUND THEN
        verdict := 'bad';
        RETURN;
    END IF;
    UPDATE directory.sessions AS s SET revoked_at = now()
    WHERE s.id = rotate_session.session_id AND s.revoked_at IS NULL AND s.expires_at > now();
    is_ended := FOUND;
    verdict := 'reused';
END $$;

CREATE FUNCTION sec.close_session(p_hashes bytea[])
RETURNS TABLE (session_id uuid, user_id uuid)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.sessions AS s SET revoked_at = now()
    WHERE s.revoked_at IS NULL AND sec.is_outside_orgs()
        AND s.id IN (SELECT t.session_id FROM directory.refresh_tokens AS t WHERE t.hash = ANY (p_hashes))
    RETURNING s.id, s.user_id;
END;

CREATE FUNCTION sec.own_sessions()
RETURNS TABLE (
    id uuid, created_at timestamptz, used_at timestamptz, expires_at timestamptz,
    address text, user_agent text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.id, s.created_at, coalesce(s.used_at, s.created_at), s.expires_at, s.address, s.user_agent
    FROM directory.sessions AS s
    WHERE s.user_id = sec.org() AND s.revoked_at IS NULL AND s.expires_at > now()
    ORDER BY s.id DESC LIMIT 100;
END;

CREATE FUNCTION sec.end_session(p_session uuid) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.sessions SET revoked_at = now()
    WHERE id = p_session AND user_id = sec.org() AND revoked_at IS NULL AND expires_at > now()
    RETURNING true;
END;

-- Ends every session of oneself but one, or every one.
CREATE FUNCTION sec.end_sessions(p_but uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH ended AS (
        UPDATE directory.sessions SET revoked_at = now()
        WHERE user_id = sec.org() AND revoked_at IS NULL AND id IS DISTINCT FROM p_but
        RETURNING 1
    )
    SELECT count(*) FROM ended;
END;

CREATE FUNCTION sec.own_factor()
RETURNS TABLE (secret_sealed bytea, confirmed_at timestamptz, last_step bigint, codes_left bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT f.secret_sealed, f.confirmed_at, f.last_step, (
        SELECT count(*) FROM directory.recovery_codes AS c WHERE c.user_id = f.user_id AND c.used_at IS NULL
    )
    FROM directory.factors AS f WHERE f.user_id = sec.org();
END;

-- A new factor, in place of one that was never confirmed; false when a confirmed one stands.
CREATE FUNCTION sec.put_factor(p_sealed bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO directory.factors AS f (user_id, secret_sealed)
    SELECT u.id, p_sealed FROM directory.users AS u WHERE u.id = sec.org()
    ON CONFLICT (user_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, created_at = now()
    WHERE f.confirmed_at IS NULL
    RETURNING true;
END;

-- Takes the code of a step once, and never one of an earlier step.
CREATE FUNCTION sec.take_step(p_step bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.factors SET last_step = p_step, confirmed_at = coalesce(confirmed_at, now())
    WHERE user_id = sec.org() AND last_step < p_step
    RETURNING true;
END;

CREATE FUNCTION sec.take_recovery_code(p_hashes bytea[]) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.recovery_codes SET used_at = now()
    WHERE hash = ANY (p_hashes) AND user_id = sec.org() AND used_at IS NULL
    RETURNING true;
END;

CREATE FUNCTION sec.put_recovery_codes(p_hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM directory.recovery_codes WHERE user_id = sec.org();
    INSERT INTO directory.recovery_codes (hash, user_id)
    SELECT given.hash, u.id FROM directory.users AS u CROSS JOIN unnest(p_hashes) AS given (hash)
    WHERE u.id = sec.org()
$$;

CREATE FUNCTION sec.drop_factor() RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM directory.recovery_codes WHERE user_id = sec.org();
    DELETE FROM directory.factors WHERE user_id = sec.org() RETURNING true
$$;

-- A token to send by mail; null when so many of its kind were made in the last hour already.
CREATE FUNCTION sec.add_mail_token(p_hash bytea, p_purpose text, p_life interval, p_hourly_max integer)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO directory.mail_tokens (hash, user_id, purpose, expires_at)
    SELECT p_hash, u.id, p_purpose, now() + p_life FROM directory.users AS u
    WHERE u.id = sec.org() AND (
        SELECT count(*) FROM directory.mail_tokens AS t
        WHERE t.user_id = u.id AND t.purpose = p_purpose AND t.created_at > now() - interval '1 hour'
    ) < p_hourly_max
    RETURNING true;
END;

CREATE FUNCTION sec.owner_of_mail_token(p_hashes bytea[], p_purpose text)
RETURNS TABLE (user_id uuid, email text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.email, u.name FROM directory.mail_tokens AS t JOIN directory.users AS u ON u.id = t.user_id
    WHERE t.hash = ANY (p_hashes) AND t.purpose = p_purpose AND t.used_at IS NULL AND t.expires_at > now()
        AND sec.is_outside_orgs();
END;

-- Uses a token; of several uses at once one finds it unused. What else was sent for the same purpose
-- is void from then on.
CREATE FUNCTION sec.use_mail_token(p_hashes bytea[], p_purpose text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whose uuid;
BEGIN
    UPDATE directory.mail_tokens AS t SET used_at = now()
    WHERE t.hash = ANY (p_hashes) AND t.purpose = p_purpose AND t.used_at IS NULL AND t.expires_at > now()
        AND sec.is_outside_orgs()
    RETURNING t.user_id INTO whose;
    UPDATE directory.mail_tokens AS t SET used_at = now()
    WHERE t.user_id = whose AND t.purpose = p_purpose AND t.used_at IS NULL;
    RETURN whose;
END $$;

-- Where a try stands, both rows locked: tries at one account from one address come one by one.
CREATE FUNCTION sec.begin_try(
    p_account bytea, p_address text,
    OUT failures integer, OUT begun_at timestamptz, OUT failed_at timestamptz,
    OUT succeeded_at timestamptz, OUT account_failures integer, OUT account_failed_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF sec.is_outside_orgs() THEN
        INSERT INTO directory.tries (account, address) VALUES (p_account, p_address) ON CONFLICT DO NOTHING;
        SELECT t.failures, t.begun_at, t.failed_at, t.succeeded_at
        INTO failures, begun_at, failed_at, succeeded_at
        FROM directory.tries AS t WHERE t.account = p_account AND t.address = p_address FOR UPDATE;
        SELECT a.failures, a.failed_at INTO account_failures, account_failed_at
        FROM directory.tried_accounts AS a WHERE a.account = p_account;
    END IF;
END $$;

-- A try counts as failed from the moment it is made; whoever was right takes it back.
CREATE FUNCTION sec.count_try(p_account bytea, p_address text, p_failures integer, p_account_failures integer)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE directory.tries SET failures = p_failures, failed_at = now()
    WHERE account = p_account AND address = p_address AND sec.is_outside_orgs();
    INSERT INTO directory.tried_accounts AS a (account, failures)
    SELECT p_account, p_account_failures WHERE sec.is_outside_orgs()
    ON CONFLICT (account) DO UPDATE
    SET failures = greatest(a.failures + 1, excluded.failures), failed_at = now()
$$;

CREATE FUNCTION sec.end_try(p_account bytea, p_address text, p_is_good boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE directory.tries SET
        failures = CASE WHEN p_is_good THEN 0 ELSE greatest(failures - 1, 0) END,
        succeeded_at = CASE WHEN p_is_good THEN now() ELSE succeeded_at END
    WHERE account = p_account AND address = p_address AND sec.is_outside_orgs();
    UPDATE directory.tried_accounts SET failures = greatest(failures - 1, 0)
    WHERE account = p_account AND sec.is_outside_orgs()
$$;

CREATE FUNCTION sec.clear_tries(p_account bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE directory.tries SET failures = 0 WHERE account = p_account AND sec.is_outside_orgs();
    DELETE FROM directory.tried_accounts WHERE account = p_account AND sec.is_outside_orgs()
$$;

-- Forgets what nobody can use any more: old tries, tokens, and sessions that ended a month ago.
CREATE FUNCTION sec.forget_visits(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone integer;
    total integer := 0;
BEGIN
    DELETE FROM directory.tries AS t USING (
        SELECT o.account, o.address FROM directory.tries AS o
        WHERE o.begun_at < now() - interval '1 day'
            AND coalesce(o.failed_at, o.begun_at) < now() - interval '1 day'
            AND coalesce(o.succeeded_at, '-infinity') < now() - interval '90 days'
        LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) AS old WHERE t.account = old.account AND t.address = old.address;
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM directory.mail_tokens AS t WHERE t.hash IN (
        SELECT o.hash FROM directory.mail_tokens AS o
        WHERE o.expires_at < now() - interval '1 day' LIMIT p_limit FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM directory.refresh_tokens AS t WHERE t.hash IN (
        SELECT o.hash FROM directory.refresh_tokens AS o
        WHERE o.expires_at < now() - interval '30 days' LIMIT p_limit FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;
CREATE INDEX refresh_tokens_by_age ON directory.refresh_tokens (expires_at);

DO $$
DECLARE
    one regprocedure;
BEGIN
    FOREACH one IN ARRAY ARRAY[
        'sec.user_by_id(uuid)', 'sec.find_user(text)', 'sec.own_password()', 'sec.set_password(text)',
        'sec.verify_user()', 'sec.open_session(uuid, bytea, interval, interval, text, text)',
        'sec.rotate_session(bytea[], bytea, interval, text)', 'sec.close_session(bytea[])',
        'sec.own_sessions()', 'sec.end_session(uuid)', 'sec.end_sessions(uuid)', 'sec.own_factor()',
        'sec.put_factor(bytea)', 'sec.take_step(bigint)', 'sec.take_recovery_code(bytea[])',
        'sec.put_recovery_codes(bytea[])', 'sec.drop_factor()',
        'sec.add_mail_token(bytea, text, interval, integer)', 'sec.owner_of_mail_token(bytea[], text)',
        'sec.use_mail_token(bytea[], text)', 'sec.begin_try(bytea, text)',
        'sec.count_try(bytea, text, integer, integer)', 'sec.end_try(bytea, text, boolean)',
        'sec.clear_tries(bytea)', 'sec.forget_visits(integer)'
    ]::regprocedure[] LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO bursar_directory', one);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO bursar_app', one);
    END LOOP;
END $$;
REVOKE CREATE ON SCHEMA sec FROM bursar_directory;
