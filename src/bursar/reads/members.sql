-- name: user
-- The bound person: who they are, whether a second factor is asked for, and nothing they sign in with.
SELECT
    u.id, u.email, u.name, u.is_operator, u.verified_at, u.created_at,
    EXISTS (SELECT 1 FROM sec.own_factor() AS f WHERE f.confirmed_at IS NOT NULL) AS has_second_factor
FROM sec.user_by_id($1) AS u;

-- name: memberships
-- The organizations of one person: ids, names and roles, nothing else of them.
SELECT m.org_id, m.name, m.mode, m.role FROM sec.memberships_of($1) AS m;

-- name: members
-- The people of the bound organization and whoever is invited, first come first.
SELECT
    m.*,
    u.email AS user_email, u.name AS user_name, u.is_operator AS user_is_operator,
    u.verified_at AS user_verified_at, u.created_at AS user_created_at
FROM members AS m LEFT JOIN LATERAL sec.user_by_id(m.user_id) AS u ON true
WHERE m.org_id = $1 AND m.status <> 'removed'
ORDER BY m.id LIMIT $2 OFFSET $3;

-- name: member
-- One of them.
SELECT
    m.*,
    u.email AS user_email, u.name AS user_name, u.is_operator AS user_is_operator,
    u.verified_at AS user_verified_at, u.created_at AS user_created_at
FROM members AS m LEFT JOIN LATERAL sec.user_by_id(m.user_id) AS u ON true
WHERE m.org_id = $1 AND m.id = $2 AND m.status <> 'removed';

-- name: count_members
-- How many people belong to the bound organization, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM members WHERE org_id = $1 AND status <> 'removed' LIMIT $2) AS counted;
