-- name: mails
-- A window on the mail of the bound scope, newest first, and nothing of what stands in it.
SELECT
    id, kind, language, recipient, status, attempt_count, transport, reference, failure,
    created_at, settled_at
FROM mails WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_mails
-- How many mails there are, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM mails WHERE org_id = $1 LIMIT $2) AS counted;
