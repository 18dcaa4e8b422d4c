-- Checkpoints of the log: the signed head of an organization's chain that it was told last.
CREATE TABLE audit_checkpoints (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    signature bytea NOT NULL CHECK (length(signature) = 64),
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id)
);
CALL sec.isolate('audit_checkpoints');
GRANT SELECT, INSERT, UPDATE ON audit_checkpoints TO bursar_app;
GRANT SELECT ON audit_checkpoints TO bursar_backup;

-- How many sealed events of an organization no checkpoint covers, and when the next one is due.
CREATE TABLE audit_growth (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    event_count bigint NOT NULL CHECK (event_count > 0),
    checkpoint_at timestamptz NOT NULL,
    PRIMARY KEY (org_id)
) WITH (fillfactor = 70);
CREATE INDEX growth_due ON audit_growth (checkpoint_at);
CALL sec.isolate('audit_growth');
GRANT SELECT, INSERT, UPDATE, DELETE ON audit_growth TO bursar_app;
GRANT SELECT ON audit_growth TO bursar_backup;

-- Organizations whose next checkpoint is due: ids only.
CREATE FUNCTION sec.orgs_to_checkpoint(p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT g.org_id FROM public.audit_growth AS g
    WHERE g.checkpoint_at <= now() ORDER BY g.checkpoint_at LIMIT p_limit
$$;
REVOKE ALL ON FUNCTION sec.orgs_to_checkpoint(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.orgs_to_checkpoint(integer) TO bursar_app;
