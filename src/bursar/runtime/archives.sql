-- name: told_in_month
-- The organizations that told something in a month.
SELECT told AS org_id FROM sec.who_told($1, $2) AS told ORDER BY told;

-- name: let_go
-- The month goes, if all of it is sealed, relayed, delivered and in these files.
SELECT sec.let_go_of_events($1, $2, $3, $4);
