-- name: tell
-- One line of the history of the bound scope.
INSERT INTO auth_events (org_id, id, type, actor, address, reason, request_id, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
