-- name: told_in_month
-- The organizations that told something in a month.
SELECT DISTINCT e.org_id FROM events AS e
WHERE e.id >= sec.first_id_at($1) AND e.id < sec.first_id_at($2) ORDER BY e.org_id;

-- name: let_go
-- The month goes, if all of it is sealed, relayed, delivered and in these files.
CALL sec.let_go_of_events($1, $2, $3, $4);
