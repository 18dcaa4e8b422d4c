-- name: lock_view
-- A view that a person may see, held until the end: their own, or one that is shared.
SELECT * FROM saved_views
WHERE org_id = $1 AND id = $2 AND (user_id = $3 OR is_shared)
FOR UPDATE;

-- name: count_own_views
-- How many a person keeps.
SELECT count(*) FROM saved_views WHERE org_id = $1 AND user_id = $2;

-- name: insert_view
-- A new view.
INSERT INTO saved_views (
    org_id, id, user_id, list, query, name, is_shared, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: update_view
-- What it is called, what it shows and who sees it; whose it is stays.
UPDATE saved_views SET query = $3, name = $4, is_shared = $5, updated_at = $6
WHERE org_id = $1 AND id = $2;

-- name: delete_view
-- It is gone.
DELETE FROM saved_views WHERE org_id = $1 AND id = $2;
