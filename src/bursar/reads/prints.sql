-- name: kept_print
-- The print of a document, if it still is what the document says.
SELECT body_boxed FROM prints WHERE org_id = $1 AND subject_id = $2 AND fingerprint = $3;
