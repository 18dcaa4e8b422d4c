-- name: own_sessions
-- The bound person's sessions that live, newest first.
SELECT s.id, s.created_at, s.used_at, s.expires_at, s.address, s.user_agent FROM sec.own_sessions() AS s;

-- name: auth_history
-- A window on the history of the bound scope, newest first.
SELECT id, type, actor, address, reason, request_id, facts, recorded_at FROM auth_events
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3;
