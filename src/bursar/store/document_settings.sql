-- name: get_document_settings
-- Those of the bound organization, if it has said any.
SELECT * FROM document_settings WHERE org_id = $1 AND id = $1;

-- name: insert_document_settings
-- The first that an organization says.
INSERT INTO document_settings (
    org_id, id, language, paper, address, tax_id, footer, reply_to, iban, bic, logo, sends_mail,
    sends_receipts, sends_failures, reminder_days, version, sequence, created_at, updated_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT DO NOTHING;

-- name: update_document_settings
-- Replaces exactly the version before.
UPDATE document_settings SET
    language = $3, paper = $4, address = $5, tax_id = $6, footer = $7, reply_to = $8, iban = $9, bic = $10,
    logo = $11, sends_mail = $12, sends_receipts = $13, sends_failures = $14, reminder_days = $15,
    version = $16, sequence = $17, updated_at = $19
WHERE org_id = $1 AND id = $2 AND version = $16 - 1 AND created_at = $18;
