-- name: hold
-- One hold of the bound organization.
SELECT * FROM holds WHERE org_id = $1 AND id = $2;

-- name: holds
-- A window on the holds, newest first; each filter may be absent.
SELECT * FROM holds
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR wallet_id = $5)
    AND ($6::text[] IS NULL OR status = ANY($6))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_holds
-- How many holds the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM holds
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR wallet_id = $3)
        AND ($4::text[] IS NULL OR status = ANY($4))
    LIMIT $2
) AS counted;
