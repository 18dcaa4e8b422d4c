-- The machine's own tables: idempotency keys and the agenda; and the door through which every
-- transaction enters.

CREATE TABLE idempotency_keys (
    org_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    claim uuid NOT NULL,
    boot_id uuid,
    answer bytea,
    -- What the request's first transaction made, so that a repetition goes on with it.
    begun uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, key)
) WITH (fillfactor = 70);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (expires_at);

CREATE TABLE agenda (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    kind text NOT NULL,
    subject_id uuid NOT NULL,
    clock text NOT NULL CHECK (clock IN ('wall', 'business')),
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    PRIMARY KEY (org_id, kind, subject_id)
) WITH (fillfactor = 70);
CREATE INDEX agenda_due ON agenda (due_at);

-- Every transaction of the application begins here: it binds the organization, checks the credential
-- again, tells the time, claims the idempotency key and checks a worker's claim on its task, in one
-- round trip. The signed context is a parameter, for other sessions can read a statement's text.
--
-- key_state: null (no key), claimed, resumed, answered, running or mismatch.
CREATE FUNCTION sec.enter(
    p_context text, p_user uuid, p_session uuid, p_api_key uuid,
    p_key text, p_fingerprint bytea, p_claim uuid, p_boot uuid,
    p_job bigint, p_token uuid,
    OUT recorded_at timestamptz, OUT business_at timestamptz, OUT mode text,
    OUT role text, OUT is_credential_good boolean,
    OUT key_state text, OUT answer bytea, OUT begun uuid, OUT is_task_ours boolean
)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    bound uuid;
    held public.idempotency_keys;
BEGIN
    PERFORM set_config('bursar.context', p_context, true);
    bound := sec.org();
    recorded_at := now();
    SELECT coalesce(c.now_at, now()), o.mode INTO business_at, mode
    FROM public.organizations AS o LEFT JOIN public.test_clocks AS c ON c.org_id = o.org_id
    WHERE o.org_id = bound;
    business_at := coalesce(business_at, now());
    is_credential_good := true;
    IF p_user IS NOT NULL THEN
        is_credential_good := sec.is_session_good(p_session, p_user);
        SELECT m.role INTO role FROM public.members AS m WHERE m.org_id = bound AND m.user_id = p_user;
    ELSIF p_api_key IS NOT NULL THEN
        is_credential_good := EXISTS (
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

-- Leases what is due, over all organizations, to one worker for a while: ids only.
CREATE FUNCTION sec.claim_due(p_limit integer, p_lease interval)
RETURNS TABLE (org_id uuid, kind text, subject_id uuid, due_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT a.org_id, a.kind, a.subject_id FROM public.agenda AS a
        LEFT JOIN public.test_clocks AS c ON c.org_id = a.org_id
        WHERE a.due_at <= CASE a.clock WHEN 'wall' THEN now() ELSE coalesce(c.now_at, now()) END
            AND (a.leased_until IS NULL OR a.leased_until < now())
        ORDER BY a.due_at LIMIT p_limit
        FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE public.agenda AS a SET leased_until = now() + p_lease
    FROM due AS d WHERE a.org_id = d.org_id AND a.kind = d.kind AND a.subject_id = d.subject_id
    RETURNING a.org_id, a.kind, a.subject_id, a.due_at
$$;

-- How late the agenda is: seconds since its oldest item that is due on the wall clock.
CREATE FUNCTION sec.agenda_lag() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(extract(epoch FROM now() - min(a.due_at)), 0)::double precision
    FROM public.agenda AS a WHERE a.due_at <= now() AND a.clock = 'wall'
$$;

-- Idempotency keys that nobody may replay any more.
CREATE FUNCTION sec.forget_idempotency_keys(p_limit integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone integer;
BEGIN
    DELETE FROM public.idempotency_keys AS k USING (
        SELECT o.org_id, o.key FROM public.idempotency_keys AS o
        WHERE o.expires_at < now() LIMIT p_limit FOR UPDATE SKIP LOCKED
    ) AS old WHERE k.org_id = old.org_id AND k.key = old.key;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- The organization a payment belongs to, for a provider's event whose metadata names the payment.
CREATE FUNCTION sec.org_of_payment(p_payment uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.org_id FROM public.payments AS p WHERE p.id = p_payment
$$;
