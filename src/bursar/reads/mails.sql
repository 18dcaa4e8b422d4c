-- name: mails
-- A window on the mail of the bound scope, newest first, and nothing of what stands in it.
SELECT
    id, kind, language, recipient, status, attempt_count, transport, reference, failure,
    invoice_id, created_at, settled_at
FROM mails
WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) AND ($5::uuid IS NULL OR invoice_id = $5)
    AND ($6::text[] IS NULL OR status = ANY($6))
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_mails
-- How many mails there are, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM mails
    WHERE org_id = $1 AND ($3::uuid IS NULL OR invoice_id = $3) AND ($4::text[] IS NULL OR status = ANY($4))
    LIMIT $2
) AS counted;
