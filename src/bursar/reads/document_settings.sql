-- name: document_settings
-- Those of the bound organization, if it has said any.
SELECT * FROM document_settings WHERE org_id = $1 AND id = $1;
