-- Organizations, their members and their API keys.

CREATE TABLE organizations (
    org_id uuid PRIMARY KEY,
    name text NOT NULL,
    currency char(3) NOT NULL,
    timezone text NOT NULL,
    mode text NOT NULL CHECK (mode IN ('live', 'sandbox')),
    invoice_prefix text NOT NULL,
    net_terms_days integer NOT NULL CHECK (net_terms_days BETWEEN 0 AND 365),
    reactivation_grace_days integer NOT NULL CHECK (reactivation_grace_days BETWEEN 0 AND 365),
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE members (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'accountant', 'viewer')),
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE api_keys (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    name text NOT NULL,
    key_hash bytea NOT NULL,
    key_prefix char(8) NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, key_hash)
);
CREATE INDEX api_keys_by_hash ON api_keys (key_hash);

-- The time of an organization under test: frozen, and moved forward only by hand.
CREATE TABLE test_clocks (
    org_id uuid PRIMARY KEY REFERENCES organizations ON DELETE RESTRICT,
    now_at timestamptz NOT NULL
);

-- One door from a key's hash to its organization; anything else about the key stays behind RLS.
CREATE FUNCTION sec.find_api_key(p_hashes bytea[])
RETURNS TABLE (org_id uuid, id uuid, scopes text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT k.org_id, k.id, k.scopes FROM public.api_keys AS k
    WHERE k.key_hash = ANY (p_hashes) AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now());
END;

-- The organizations of a person, who must be the one bound: nobody asks about anybody else.
CREATE FUNCTION sec.memberships_of(p_user uuid) RETURNS TABLE (org_id uuid, name text, mode text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT m.org_id, o.name, o.mode, m.role FROM public.members AS m
    JOIN public.organizations AS o ON o.org_id = m.org_id
    WHERE m.user_id = p_user AND p_user = sec.org() ORDER BY m.org_id;
END;

-- Which organization a first-run console or command line means when none is named.
CREATE FUNCTION sec.org_ids() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.org_id FROM public.organizations AS o ORDER BY o.org_id;
END;
