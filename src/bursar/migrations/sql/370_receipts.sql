-- Good answers of webhook endpoints are recorded many at once, over organizations.

-- What the application signs a context for when what it does spans organizations; no organization
-- has this id.
CREATE FUNCTION sec.machine() RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN '00000000-0000-0000-0000-000000000001'::uuid;

-- What follows good answers of endpoints that are well, in one commit: deliveries whose lease still
-- holds and whose endpoint is well have ended, their attempts are kept, the next of their resources
-- come forward and the lanes are looked at again. Takes the machine's own signed context, and gives
-- the ids it kept; of the others nothing was done.
CREATE FUNCTION sec.keep_delivered(
    p_context text, p_orgs uuid[], p_deliveries uuid[], p_leases uuid[],
    p_statuses integer[], p_durations_ms integer[], p_excerpts text[]
) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    orgs uuid[];
    lanes uuid[];
BEGIN
    PERFORM set_config('bursar.context', p_context, true);
    IF sec.org() <> sec.machine() THEN
        RAISE EXCEPTION 'the context is not the machine''s' USING ERRCODE = '42501';
    END IF;
    PERFORM set_config('bursar.context', '', true);
    -- In the order in which everybody holds several lanes.
    SELECT array_agg(h.org_id), array_agg(h.subscription_id) INTO orgs, lanes FROM (
        SELECT l.org_id, l.subscription_id FROM public.webhook_lanes AS l
        JOIN (
            SELECT DISTINCT d.org_id, d.subscription_id
            FROM unnest(p_orgs, p_deliveries) AS g (org_id, delivery_id)
            JOIN public.webhook_deliveries AS d ON d.org_id = g.org_id AND d.id = g.delivery_id
        ) AS w ON w.org_id = l.org_id AND w.subscription_id = l.subscription_id
        WHERE l.failures = 0 AND l.first_failed_at IS NULL AND l.went_down_at IS NULL
            AND l.trials = 0 AND l.held_until IS NULL
        ORDER BY l.org_id, l.subscription_id FOR UPDATE OF l
    ) AS h;
    IF lanes IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY WITH settled AS (
        UPDATE public.webhook_deliveries AS d SET
            status = 'delivered', attempt_count = d.attempt_count + 1, tried = d.tried + 1,
            next_attempt_at = NULL, last_attempt_at = now(), last_status = g.status,
            lease_token = NULL, lease_until = NULL
        FROM unnest(p_orgs, p_deliveries, p_leases, p_statuses, p_durations_ms, p_excerpts)
        AS g (org_id, delivery_id, lease, status, duration_ms, excerpt)
        WHERE d.org_id = g.org_id AND d.id = g.delivery_id AND d.lease_token = g.lease
            AND d.status = 'pending' AND d.subscription_id = ANY(lanes)
        RETURNING d.org_id, d.id, d.attempt_count, g.status, g.duration_ms, g.excerpt
    )
    INSERT INTO public.webhook_attempts AS a (org_id, delivery_id, attempt, duration_ms, status, excerpt)
    SELECT s.org_id, s.id, s.attempt_count, s.duration_ms, s.status, s.excerpt FROM settled AS s
    RETURNING a.delivery_id;
    PERFORM sec.line_up(r.org_id, r.subscription_id, r.resource_id) FROM (
        SELECT DISTINCT d.org_id, d.subscription_id, d.resource_id
        FROM unnest(p_orgs, p_deliveries) AS g (org_id, delivery_id)
        JOIN public.webhook_deliveries AS d ON d.org_id = g.org_id AND d.id = g.delivery_id
        WHERE d.status = 'delivered' AND d.subscription_id = ANY(lanes) AND EXISTS (
            SELECT 1 FROM public.webhook_deliveries AS w
            WHERE w.org_id = d.org_id AND w.subscription_id = d.subscription_id
                AND w.resource_id = d.resource_id AND w.status = 'pending'
        )
    ) AS r;
    PERFORM sec.look_again(l.org_id, l.subscription_id) FROM unnest(orgs, lanes) AS l (org_id, subscription_id);
END $$;

DROP FUNCTION sec.delivered(uuid, uuid, uuid, integer, integer, text);

REVOKE ALL ON FUNCTION
sec.machine(), sec.keep_delivered(text, uuid[], uuid[], uuid[], integer[], integer[], text[])
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
sec.machine(), sec.keep_delivered(text, uuid[], uuid[], uuid[], integer[], integer[], text[])
TO bursar_app;
