-- Which idempotency keys of a convoy are used, found by their key whatever the size of the table.

-- These keys of the bound organization, as far as they are still kept at that time. A plan is made once for a
-- session, perhaps while the table is all but empty, and an empty table is read whole sooner than by its
-- index: for as long as nobody analyzes the table, whatever it has grown to. So here it is never read whole.
-- The fence keeps the time out of the search, where the index of times would do as well for a small table.
CREATE FUNCTION sec.used_keys(p_org uuid, p_keys text[], p_at timestamptz) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT u.key FROM unnest(p_keys) AS w (key)
        CROSS JOIN LATERAL (
            SELECT k.key, k.expires_at FROM public.idempotency_keys AS k
            WHERE k.org_id = p_org AND k.key = w.key OFFSET 0
        ) AS u
        WHERE u.expires_at > p_at
    );
END $$;

REVOKE ALL ON FUNCTION sec.used_keys(uuid, text[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.used_keys(uuid, text[], timestamptz) TO bursar_app;
