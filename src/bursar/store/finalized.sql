-- name: open_drafts
-- Drafts of several callers get their numbers; replaces exactly the versions before. Each keeps what it is
-- issued under, as by `update_invoice`.
UPDATE invoices AS i SET
    status = 'open', series = n.series, number = n.number, due_at = n.due_at, finalized_at = $2,
    version = n.version, sequence = n.sequence, updated_at = $2,
    buyer_version = (SELECT c.version FROM customers AS c WHERE c.org_id = $1 AND c.id = i.customer_id),
    seller_version = (SELECT o.version FROM organizations AS o WHERE o.org_id = $1),
    settings_version
    = coalesce((SELECT d.version FROM document_settings AS d WHERE d.org_id = $1 AND d.id = $1), 0)
FROM jsonb_to_recordset($3::jsonb) AS n (
    id uuid, version integer, sequence integer, series text, number integer, due_at timestamptz
)
WHERE i.org_id = $1 AND i.id = n.id AND i.version = n.version - 1 AND i.status = 'draft';
