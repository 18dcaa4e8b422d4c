-- People and their sessions: known to the installation, whatever organizations they belong to.
-- Owned by a role of its own; the application reaches it through the sec functions only.

CREATE SCHEMA directory AUTHORIZATION bursar_owner;
GRANT USAGE, CREATE ON SCHEMA directory TO bursar_directory;

CREATE TABLE directory.users (
    id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email) AND length(email) <= 255),
    name text NOT NULL,
    password_hash text NOT NULL,
    is_operator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    UNIQUE (email)
);

CREATE TABLE directory.sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES directory.users ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX sessions_by_user ON directory.sessions (user_id);

-- One row per refresh token ever issued to a session; using one twice revokes the session.
CREATE TABLE directory.refresh_tokens (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES directory.sessions ON DELETE RESTRICT,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_by_session ON directory.refresh_tokens (session_id);

ALTER TABLE directory.users OWNER TO bursar_directory;
ALTER TABLE directory.sessions OWNER TO bursar_directory;
ALTER TABLE directory.refresh_tokens OWNER TO bursar_directory;
GRANT SELECT ON ALL TABLES IN SCHEMA directory TO bursar_owner;
GRANT USAGE ON SCHEMA sec, directory TO bursar_directory;
GRANT CREATE ON SCHEMA sec TO bursar_directory;

-- People sign up and in before they enter an organization: from inside one, no statement, however it
-- got there, makes an operator, opens a session or replaces a password.
CREATE FUNCTION sec.is_outside_orgs() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM public.organizations AS o WHERE o.org_id = sec.org()) THEN
        RAISE EXCEPTION 'not from inside an organization' USING ERRCODE = '42501';
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION sec.add_user(p_id uuid, p_email text, p_name text, p_hash text, p_is_operator boolean)
RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO directory.users (id, email, name, password_hash, is_operator, created_at)
    SELECT p_id, p_email, p_name, p_hash, p_is_operator, now() WHERE sec.is_outside_orgs()
    ON CONFLICT (email) DO NOTHING
    RETURNING true;
END;

CREATE FUNCTION sec.find_user(p_email text) RETURNS SETOF directory.users
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM directory.users WHERE email = p_email AND sec.is_outside_orgs();
END;

CREATE FUNCTION sec.user_by_id(p_id uuid)
RETURNS TABLE (id uuid, email text, name text, is_operator boolean, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT u.id, u.email, u.name, u.is_operator, u.created_at FROM directory.users AS u WHERE u.id = p_id;
END;

CREATE FUNCTION sec.rehash_user(p_id uuid, p_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.users SET password_hash = p_hash WHERE id = p_id AND sec.is_outside_orgs();
END;

CREATE FUNCTION sec.open_session(
    p_session uuid, p_user uuid, p_hash bytea, p_session_life interval, p_token_life interval
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO directory.sessions (id, user_id, created_at, expires_at)
    SELECT p_session, p_user, now(), now() + p_session_life WHERE sec.is_outside_orgs();
    INSERT INTO directory.refresh_tokens (hash, session_id, expires_at)
    VALUES (p_hash, p_session, now() + p_token_life);
END;

-- Rotates a refresh token. 'ok' with the session; 'reused' after revoking it; 'bad' otherwise. Of
-- several uses at once exactly one is the first, since the row is claimed by one UPDATE.
CREATE FUNCTION sec.rotate_session(p_hashes bytea[], p_new_hash bytea, p_token_life interval)
RETURNS TABLE (verdict text, session_id uuid, user_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    token directory.refresh_tokens;
    session directory.sessions;
BEGIN
    SELECT * INTO token FROM directory.refresh_tokens AS t WHERE t.hash = ANY (p_hashes) FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'bad', NULL::uuid, NULL::uuid;
        RETURN;
    END IF;
    SELECT * INTO session FROM directory.sessions AS s WHERE s.id = token.session_id FOR UPDATE;
    IF token.used_at IS NOT NULL THEN
        UPDATE directory.sessions AS s SET revoked_at = coalesce(s.revoked_at, now()) WHERE s.id = session.id;
        RETURN QUERY SELECT 'reused', session.id, session.user_id;
        RETURN;
    END IF;
    IF session.revoked_at IS NOT NULL OR session.expires_at <= now() OR token.expires_at <= now() THEN
        RETURN QUERY SELECT 'bad', session.id, session.user_id;
        RETURN;
    END IF;
    UPDATE directory.refresh_tokens AS t SET used_at = now() WHERE t.hash = token.hash;
    INSERT INTO directory.refresh_tokens (hash, session_id, expires_at)
    VALUES (p_new_hash, session.id, now() + p_token_life);
    RETURN QUERY SELECT 'ok', session.id, session.user_id;
END $$;

CREATE FUNCTION sec.close_session(p_hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.sessions SET revoked_at = coalesce(revoked_at, now())
    WHERE id IN (SELECT t.session_id FROM directory.refresh_tokens AS t WHERE t.hash = ANY (p_hashes));
END;

CREATE FUNCTION sec.is_session_good(p_session uuid, p_user uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT 1 FROM directory.sessions AS s
        WHERE s.id = p_session AND s.user_id = p_user AND s.revoked_at IS NULL AND s.expires_at > now()
    );
END;

ALTER FUNCTION sec.add_user(uuid, text, text, text, boolean) OWNER TO bursar_directory;
ALTER FUNCTION sec.find_user(text) OWNER TO bursar_directory;
ALTER FUNCTION sec.user_by_id(uuid) OWNER TO bursar_directory;
ALTER FUNCTION sec.rehash_user(uuid, text) OWNER TO bursar_directory;
ALTER FUNCTION sec.open_session(uuid, uuid, bytea, interval, interval) OWNER TO bursar_directory;
ALTER FUNCTION sec.rotate_session(bytea[], bytea, interval) OWNER TO bursar_directory;
ALTER FUNCTION sec.close_session(bytea[]) OWNER TO bursar_directory;
ALTER FUNCTION sec.is_session_good(uuid, uuid) OWNER TO bursar_directory;
REVOKE CREATE ON SCHEMA sec FROM bursar_directory;
