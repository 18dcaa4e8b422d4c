-- name: view
-- One view, of this person or shared.
SELECT * FROM saved_views WHERE org_id = $1 AND id = $2 AND (user_id = $3 OR is_shared);

-- name: views
-- A window on the views of a person and on those that are shared, newest first.
SELECT * FROM saved_views
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND (user_id = $5 OR is_shared)
    AND ($6::text IS NULL OR list = $6)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_views
-- How many the same filter leaves, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM saved_views
    WHERE org_id = $1 AND (user_id = $3 OR is_shared) AND ($4::text IS NULL OR list = $4) LIMIT $2
) AS counted;
