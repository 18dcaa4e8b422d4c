-- name: user
-- One person: who they are, and nothing they sign in with.
SELECT u.id, u.email, u.name, u.is_operator, u.created_at FROM sec.user_by_id($1) AS u;

-- name: memberships
-- The organizations of one person: ids, names and roles, nothing else of them.
SELECT m.org_id, m.name, m.mode, m.role FROM sec.memberships_of($1) AS m;

-- name: members
-- The people of the bound organization, first come first.
SELECT
    m.id, m.user_id, m.role, m.version, m.sequence, m.created_at, m.updated_at,
    u.email AS user_email, u.name AS user_name, u.is_operator AS user_is_operator,
    u.created_at AS user_created_at
FROM members AS m CROSS JOIN LATERAL sec.user_by_id(m.user_id) AS u
WHERE m.org_id = $1
ORDER BY m.id LIMIT $2 OFFSET $3;

-- name: count_members
-- How many people belong to the bound organization, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM members WHERE org_id = $1 LIMIT $2) AS counted;
