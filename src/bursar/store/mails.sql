-- name: add_mail
-- A mail that waits for its task, in the bound scope.
INSERT INTO mails (org_id, id, kind, language, recipient, parameters_sealed, status, invoice_id)
VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7);

-- name: unsent_mail
-- A mail that has not left, locked: of two who would send it, one waits and then finds it gone.
SELECT id, kind, language, recipient, parameters_sealed, invoice_id FROM mails
WHERE
    org_id = $1 AND id = $2 AND status IN ('pending', 'failed') AND parameters_sealed IS NOT NULL
FOR UPDATE;

-- name: kept_mail
-- A mail whose content is still there, whatever became of it.
SELECT id, kind, language, recipient, parameters_sealed, invoice_id FROM mails
WHERE org_id = $1 AND id = $2 AND parameters_sealed IS NOT NULL;

-- name: count_attempt
-- Counts an attempt; gives its number, or nothing when the mail has left already.
UPDATE mails SET attempt_count = attempt_count + 1
WHERE
    org_id = $1 AND id = $2 AND status IN ('pending', 'failed') AND parameters_sealed IS NOT NULL
RETURNING attempt_count;

-- name: settle_mail
-- What became of a mail; one that left forgets what stood in it.
UPDATE mails SET
    status = $3, transport = $4, reference = $5, failure = $6,
    settled_at = CASE WHEN $7 THEN now() END,
    parameters_sealed = CASE WHEN $8 THEN NULL ELSE parameters_sealed END
WHERE org_id = $1 AND id = $2;
