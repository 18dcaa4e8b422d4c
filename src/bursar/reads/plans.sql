-- name: plan
-- One plan of the bound organization.
SELECT * FROM plans WHERE org_id = $1 AND id = $2;

-- name: plans_by_ids
-- Those of these plans that are here.
SELECT * FROM plans WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: prices
-- The prices of some plans in one version each, each plan's own price first.
SELECT p.* FROM unnest($2::uuid[], $3::integer[]) AS wanted (plan_id, number)
JOIN prices AS p ON p.org_id = $1 AND p.plan_id = wanted.plan_id AND p.plan_version = wanted.number
ORDER BY p.plan_id, p.position;

-- name: plans
-- A window on the plans, newest first; each filter may be absent.
SELECT * FROM plans
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::text[] IS NULL OR status = ANY($5))
    AND ($6::text IS NULL OR position(lower($6) IN lower(name)) > 0)
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at < $8)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_plans
-- How many plans the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM plans
    WHERE
        org_id = $1
        AND ($3::text[] IS NULL OR status = ANY($3))
        AND ($4::text IS NULL OR position(lower($4) IN lower(name)) > 0)
        AND ($5::timestamptz IS NULL OR created_at >= $5)
        AND ($6::timestamptz IS NULL OR created_at < $6)
    LIMIT $2
) AS counted;
