-- name: insert_organization
-- A new tenant; its id is the organization every other row of it carries.
INSERT INTO organizations (
    org_id, name, currency, timezone, mode, invoice_prefix, net_terms_days, reactivation_grace_days,
    version, sequence, created_at, updated_at, deleted_at,
    is_credit_applied, dunning, invoice_grace_hours, has_zero_invoices, has_consolidated_invoices,
    invoice_numbering, has_yearly_numbers
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
);

-- name: update_organization
-- Replaces exactly the version before.
UPDATE organizations SET
    name = $2, currency = $3, timezone = $4, mode = $5, invoice_prefix = $6, net_terms_days = $7,
    reactivation_grace_days = $8, version = $9, sequence = $10, updated_at = $12, deleted_at = $13,
    is_credit_applied = $14, dunning = $15, invoice_grace_hours = $16, has_zero_invoices = $17,
    has_consolidated_invoices = $18, invoice_numbering = $19, has_yearly_numbers = $20
WHERE org_id = $1 AND version = $9 - 1 AND created_at = $11;

-- name: get_organization
-- The bound organization, locked against settings changing under a verb.
SELECT * FROM organizations WHERE org_id = $1;

-- name: lock_organization
-- The bound organization, one changer of its members at a time.
SELECT * FROM organizations WHERE org_id = $1 FOR NO KEY UPDATE;

-- name: lock_out_organization
-- The bound organization, alone: every transaction in it holds a share until it ends.
SELECT * FROM organizations WHERE org_id = $1 FOR UPDATE;

-- name: unfinished
-- What would be left hanging if nobody could enter any more; each noun counts its own.
SELECT 'invoices' AS noun, count(*)::integer AS left_over FROM invoices
WHERE org_id = $1 AND status IN ('draft', 'open')
UNION ALL
SELECT 'payments' AS noun, count(*)::integer AS left_over FROM payments
WHERE org_id = $1 AND status IN ('pending', 'processing', 'requires_action')
UNION ALL
SELECT 'recurring invoices' AS noun, count(*)::integer AS left_over FROM recurring_invoices
WHERE org_id = $1 AND status IN ('active', 'paused')
UNION ALL
SELECT 'subscriptions' AS noun, count(*)::integer AS left_over FROM subscriptions
WHERE org_id = $1 AND status <> 'canceled'
UNION ALL
SELECT 'transfers' AS noun, count(*)::integer AS left_over FROM transfers
WHERE org_id = $1 AND status = 'DEBITED'
UNION ALL
SELECT 'holds' AS noun, count(*)::integer AS left_over FROM holds
WHERE org_id = $1 AND status = 'open'
UNION ALL
SELECT 'wallets' AS noun, count(*)::integer AS left_over
FROM wallets AS w JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
WHERE w.org_id = $1 AND a.balance_minor <> 0;
