-- name: organization
-- The bound organization with its settings.
SELECT * FROM organizations WHERE org_id = $1;

-- name: memberships
-- The organizations of one person: ids, names and roles, nothing else of them.
SELECT m.org_id, m.name, m.mode, m.role FROM sec.memberships_of($1) AS m;
