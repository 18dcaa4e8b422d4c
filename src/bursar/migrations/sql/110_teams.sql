-- Teams: invitations, roles, organizations that end, API keys that rotate.

ALTER TABLE organizations
    ADD COLUMN deleted_at timestamptz;

-- An invitation is a place in the organization that nobody has taken yet: it becomes a person's when
-- the token is shown, and stays as history when it ends.
ALTER TABLE members
    ALTER COLUMN user_id DROP NOT NULL,
    ADD COLUMN status text NOT NULL DEFAULT 'active' CHECK (status IN ('invited', 'active', 'removed')),
    ADD COLUMN email text CHECK (email = lower(email) AND length(email) <= 255),
    ADD COLUMN token_hash bytea,
    ADD COLUMN invited_until timestamptz,
    DROP CONSTRAINT members_org_id_user_id_key,
    ADD CONSTRAINT active_is_somebody CHECK (status <> 'active' OR user_id IS NOT NULL),
    ADD CONSTRAINT invited_is_addressed CHECK (
        status <> 'invited'
        OR (user_id IS NULL AND email IS NOT NULL AND token_hash IS NOT NULL AND invited_until IS NOT NULL)
    );
ALTER TABLE members ALTER COLUMN status DROP DEFAULT;
CREATE UNIQUE INDEX members_once ON members (org_id, user_id) WHERE status = 'active';
CREATE UNIQUE INDEX members_invited_once ON members (org_id, email) WHERE status = 'invited';
CREATE INDEX members_owning ON members (org_id) WHERE role = 'owner' AND status = 'active';
CREATE INDEX members_by_token ON members (token_hash) WHERE status = 'invited';

-- Where an act of the organization's own people came from; a customer's address is never kept.
ALTER TABLE events ADD COLUMN address text CHECK (address IS NULL OR NOT is_public);

ALTER TABLE api_keys
    ADD COLUMN allowed_addresses text[] NOT NULL DEFAULT '{}',
    ADD COLUMN successor_id uuid,
    ADD FOREIGN KEY (org_id, successor_id) REFERENCES api_keys ON DELETE RESTRICT;

-- One door from an invitation's token to its organization.
CREATE FUNCTION sec.find_invitation(p_hashes bytea[]) RETURNS TABLE (org_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.org_id, m.id FROM public.members AS m
    JOIN public.organizations AS o ON o.org_id = m.org_id
    WHERE m.token_hash = ANY (p_hashes) AND m.status = 'invited' AND o.deleted_at IS NULL;
END;

-- Whether somebody with this address belongs to the bound organization: nobody asks about others.
CREATE FUNCTION sec.has_member(p_email text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM directory.users AS u
        JOIN public.members AS m ON m.org_id = sec.org() AND m.user_id = u.id AND m.status = 'active'
        WHERE u.email = p_email
    );
END;

-- One door from a key's hash to its organization. Looking through it is what counts as use, which is
-- written down at most once a minute and never waited for.
DROP FUNCTION sec.find_api_key(bytea[]);
CREATE FUNCTION sec.find_api_key(p_hashes bytea[])
RETURNS TABLE (org_id uuid, id uuid, scopes text[], allowed_addresses text[], expires_at timestamptz)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    known public.api_keys;
BEGIN
    SELECT k.* INTO known FROM public.api_keys AS k
    JOIN public.organizations AS o ON o.org_id = k.org_id
    WHERE k.key_hash = ANY (p_hashes) AND k.revoked_at IS NULL AND o.deleted_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now());
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF known.last_used_at IS NULL OR known.last_used_at < now() - interval '1 minute' THEN
        UPDATE public.api_keys AS k SET last_used_at = now() FROM (
            SELECT c.org_id, c.id FROM public.api_keys AS c
            WHERE c.org_id = known.org_id AND c.id = known.id FOR NO KEY UPDATE SKIP LOCKED
        ) AS free WHERE k.org_id = free.org_id AND k.id = free.id;
    END IF;
    RETURN QUERY SELECT known.org_id, known.id, known.scopes, known.allowed_addresses, known.expires_at;
END $$;

-- The organizations of a person, who must be the one bound: nobody asks about anybody else.
CREATE OR REPLACE FUNCTION sec.memberships_of(p_user uuid)
RETURNS TABLE (org_id uuid, name text, mode text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.org_id, o.name, o.mode, m.role FROM public.members AS m
    JOIN public.organizations AS o ON o.org_id = m.org_id
    WHERE m.user_id = p_user AND p_user = sec.org() AND m.status = 'active' AND o.deleted_at IS NULL
    ORDER BY m.org_id;
END;

-- Names an operator of the installation, or takes the name back; false when nobody has the address.
CREATE FUNCTION sec.name_operator(p_email text, p_is_operator boolean) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    UPDATE directory.users SET is_operator = p_is_operator WHERE email = p_email AND sec.is_outside_orgs()
    RETURNING true;
END;
GRANT CREATE ON SCHEMA sec TO bursar_directory;
ALTER FUNCTION sec.name_operator(text, boolean) OWNER TO bursar_directory;
REVOKE CREATE ON SCHEMA sec FROM bursar_directory;

-- As before, and: a place that is not taken gives no role, and an organization that is deleted lets
-- nobody in. A writer keeps a share of its organization until it commits, so that deleting one waits
-- for whatever has begun and nothing is left open in it.
DROP FUNCTION sec.enter(text, uuid, uuid, uuid, text, bytea, uuid, uuid, bigint, uuid);
CREATE FUNCTION sec.enter(
    p_context text, p_user uuid, p_session uuid, p_api_key uuid,
    p_key text, p_fingerprint bytea, p_claim uuid, p_boot uuid,
    p_job bigint, p_token uuid,
    OUT recorded_at timestamptz, OUT business_at timestamptz, OUT mode text,
    OUT role text, OUT is_credential_good boolean,
    OUT key_state text, OUT answer bytea, OUT begun uuid, OUT is_task_ours boolean, OUT is_deleted boolean
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    bound uuid;
    held public.idempotency_keys;
BEGIN
    PERFORM set_config('bursar.context', p_context, true);
    bound := sec.org();
    recorded_at := now();
    IF current_setting('transaction_read_only') = 'off' THEN
        PERFORM 1 FROM public.organizations AS o WHERE o.org_id = bound FOR KEY SHARE;
    END IF;
    SELECT coalesce(c.now_at, now()), o.mode, o.deleted_at IS NOT NULL INTO business_at, mode, is_deleted
    FROM public.organizations AS o LEFT JOIN public.test_clocks AS c ON c.org_id = o.org_id
    WHERE o.org_id = bound;
    business_at := coalesce(business_at, now());
    is_deleted := coalesce(is_deleted, false);
    is_credential_good := true;
    IF p_user IS NOT NULL THEN
        is_credential_good := sec.is_session_good(p_session, p_user);
        SELECT m.role INTO role FROM public.members AS m
        WHERE m.org_id = bound AND m.user_id = p_user AND m.status = 'active';
    ELSIF p_api_key IS NOT NULL THEN
        is_credential_good := NOT is_deleted AND EXISTS (
            SELECT 1 FROM public.api_keys AS k
            WHERE k.org_id = bound AND k.id = p_api_key AND k.revoked_at IS NULL
                AND (k.expires_at IS NULL OR k.expires_at > now())
        );
    END IF;
    is_task_ours := true;
    IF p_job IS NOT NULL THEN
        PERFORM 1 FROM queue.claims AS c WHERE c.job_id = p_job AND c.token = p_token FOR SHARE;
        is_task_ours := FOUND;
    END IF;
    IF p_key IS NULL OR NOT is_credential_good OR NOT is_task_ours THEN
        RETURN;
    END IF;
    INSERT INTO public.idempotency_keys AS k (org_id, key, fingerprint, claim, boot_id, expires_at)
    VALUES (bound, p_key, p_fingerprint, p_claim, p_boot, now() + interval '24 hours')
    ON CONFLICT (org_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, claim = excluded.claim, boot_id = excluded.boot_id,
        answer = NULL, begun = NULL, created_at = now(), expires_at = excluded.expires_at
    WHERE k.expires_at <= now();
    IF FOUND THEN
        key_state := 'claimed';
        RETURN;
    END IF;
    SELECT * INTO held FROM public.idempotency_keys AS k WHERE k.org_id = bound AND k.key = p_key FOR UPDATE;
    begun := held.begun;
    IF held.fingerprint <> p_fingerprint THEN
        key_state := 'mismatch';
    ELSIF held.answer IS NOT NULL THEN
        key_state := 'answered';
        answer := held.answer;
    ELSIF held.claim = p_claim THEN
        key_state := 'claimed';
    ELSIF held.boot_id IS NULL
        OR pg_try_advisory_xact_lock_shared(hashtextextended(held.boot_id::text, 0))
    THEN
        UPDATE public.idempotency_keys AS k SET claim = p_claim, boot_id = p_boot
        WHERE k.org_id = bound AND k.key = p_key;
        key_state := 'resumed';
    ELSE
        key_state := 'running';
    END IF;
END $$;

REVOKE ALL ON FUNCTION
sec.find_invitation(bytea[]), sec.has_member(text), sec.find_api_key(bytea[]),
sec.name_operator(text, boolean),
sec.enter(text, uuid, uuid, uuid, text, bytea, uuid, uuid, bigint, uuid)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
sec.find_invitation(bytea[]), sec.has_member(text), sec.find_api_key(bytea[]),
sec.name_operator(text, boolean),
sec.enter(text, uuid, uuid, uuid, text, bytea, uuid, uuid, bigint, uuid)
TO bursar_app;
