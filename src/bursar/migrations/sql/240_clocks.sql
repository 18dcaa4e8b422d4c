-- Test clocks that are on their way, and analytics.

-- A clock keeps its row: without now_at its organization lives in real time. Where it is going, and
-- where it set out, are data, so that whoever dies on the way is followed by somebody who goes on.
ALTER TABLE test_clocks
ALTER COLUMN now_at DROP NOT NULL,
ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN departed_at timestamptz,
ADD COLUMN target_at timestamptz,
ADD COLUMN version integer NOT NULL DEFAULT 1,
ADD COLUMN sequence integer NOT NULL DEFAULT 0,
ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
ADD UNIQUE (org_id, id),
ADD CONSTRAINT on_its_way CHECK ((target_at IS NULL) = (departed_at IS NULL)),
ADD CONSTRAINT forward CHECK (target_at IS NULL OR (departed_at <= now_at AND now_at <= target_at));
CREATE INDEX test_clocks_under_way ON test_clocks (updated_at) WHERE target_at IS NOT NULL;

-- What a clock has to do next.
CREATE INDEX agenda_of_clock ON agenda (org_id, due_at) WHERE clock = 'business';

-- Which clocks are on their way: ids only.
CREATE FUNCTION sec.clocks_under_way(p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.org_id FROM public.test_clocks AS c
    WHERE c.target_at IS NOT NULL ORDER BY c.updated_at LIMIT p_limit
$$;

REVOKE ALL ON FUNCTION sec.clocks_under_way(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.clocks_under_way(integer) TO bursar_app;
