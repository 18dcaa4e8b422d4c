-- Leases what is due, over all organizations, to one worker for a while: ids only. A lease that ends
-- later than any could that begins now was given by a clock that has been put back since, and holds
-- nobody up.
CREATE OR REPLACE FUNCTION sec.claim_due(p_limit integer, p_lease interval)
RETURNS TABLE (org_id uuid, kind text, subject_id uuid, due_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT a.org_id, a.kind, a.subject_id FROM public.agenda AS a
        LEFT JOIN public.test_clocks AS c ON c.org_id = a.org_id
        WHERE a.due_at <= CASE a.clock WHEN 'wall' THEN now() ELSE coalesce(c.now_at, now()) END
            AND (a.leased_until IS NULL OR a.leased_until < now() OR a.leased_until > now() + p_lease)
        ORDER BY a.due_at LIMIT p_limit
        FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE public.agenda AS a SET leased_until = now() + p_lease
    FROM due AS d WHERE a.org_id = d.org_id AND a.kind = d.kind AND a.subject_id = d.subject_id
    RETURNING a.org_id, a.kind, a.subject_id, a.due_at
$$;
