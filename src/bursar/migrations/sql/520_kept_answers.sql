-- How answers are kept, and how a convoy's keys are looked for, with less work for each.

-- An answer is encrypted, so there is nothing in it to compress; and as long as a page has room for it, it
-- stays beside its key instead of in a table, and an index, of its own. Most rows are written once.
ALTER TABLE idempotency_keys ALTER COLUMN answer SET STORAGE EXTERNAL;
ALTER TABLE idempotency_keys SET (toast_tuple_target = 8160, fillfactor = 90);

-- As before. The array stands in a SELECT of its own: a planner that saw how few there are would plan anew
-- for each convoy, which takes longer than the search.
CREATE OR REPLACE FUNCTION sec.used_keys(p_org uuid, p_keys text[], p_at timestamptz) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
    RETURN ARRAY(
        SELECT u.key FROM unnest((SELECT p_keys)) AS w (key)
        CROSS JOIN LATERAL (
            SELECT k.key, k.expires_at FROM public.idempotency_keys AS k
            WHERE k.org_id = p_org AND k.key = w.key OFFSET 0
        ) AS u
        WHERE u.expires_at > p_at
    );
END $$;
