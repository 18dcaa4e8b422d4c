-- name: get_invoice
-- One invoice of the bound organization.
SELECT * FROM invoices WHERE org_id = $1 AND id = $2;

-- name: get_invoice_lines
-- Its lines, in their order.
SELECT * FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2 ORDER BY position;

-- name: get_invoices
-- Some invoices of the bound organization, each found by its key.
SELECT i.* FROM unnest((SELECT $2::uuid[])::uuid[]) AS k (id)
JOIN invoices AS i ON i.org_id = $1 AND i.id = k.id
ORDER BY i.id;

-- name: get_lines_of
-- Their lines, of each document so many at most, in their order.
SELECT l.* FROM unnest((SELECT $2::uuid[])::uuid[]) AS k (id)
CROSS JOIN LATERAL (
    SELECT * FROM invoice_lines AS o WHERE o.org_id = $1 AND o.invoice_id = k.id
    ORDER BY o.position LIMIT $3
) AS l
ORDER BY l.invoice_id, l.position;

-- name: insert_invoice
-- A new document; the schema checks that it adds up. A final one keeps what it is issued under.
INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, due_at, memo, metadata, hosted_generation,
    finalized_at, paid_at, voided_at, version, sequence, created_at, updated_at, subscription_id,
    billing_reason, period_start_at, period_end_at, discounts, taxes, tax_included_minor,
    excess_minor, credited_minor, noted_minor, sent_at, overdue_at, buyer_version, seller_version,
    settings_version
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35,
    CASE WHEN $17::timestamptz IS NOT NULL THEN
        (SELECT c.version FROM customers AS c WHERE c.org_id = $1 AND c.id = $3)
    END,
    CASE
        WHEN $17::timestamptz IS NOT NULL THEN (SELECT o.version FROM organizations AS o WHERE o.org_id = $1)
    END,
    CASE WHEN $17::timestamptz IS NOT NULL THEN
        coalesce((SELECT d.version FROM document_settings AS d WHERE d.org_id = $1 AND d.id = $1), 0)
    END
);

-- name: update_invoice
-- Replaces exactly the version before; what becomes final keeps what it is issued under.
UPDATE invoices SET
    customer_id = $3, status = $4, currency = $5, subtotal_minor = $6, discount_minor = $7,
    tax_minor = $8, total_minor = $9, paid_minor = $10, series = $11, number = $12, due_at = $13,
    memo = $14, metadata = $15, hosted_generation = $16, finalized_at = $17, paid_at = $18,
    voided_at = $19, version = $20, sequence = $21, updated_at = $23, subscription_id = $24,
    billing_reason = $25, period_start_at = $26, period_end_at = $27, discounts = $28, taxes = $29,
    tax_included_minor = $30, excess_minor = $31, credited_minor = $32, noted_minor = $33,
    sent_at = $34, overdue_at = $35,
    buyer_version = CASE WHEN finalized_at IS NULL AND $17::timestamptz IS NOT NULL
        THEN (SELECT c.version FROM customers AS c WHERE c.org_id = $1 AND c.id = $3)
        ELSE buyer_version END,
    seller_version = CASE WHEN finalized_at IS NULL AND $17::timestamptz IS NOT NULL
        THEN (SELECT o.version FROM organizations AS o WHERE o.org_id = $1)
        ELSE seller_version END,
    settings_version = CASE WHEN finalized_at IS NULL AND $17::timestamptz IS NOT NULL
        THEN coalesce((SELECT d.version FROM document_settings AS d WHERE d.org_id = $1 AND d.id = $1), 0)
        ELSE settings_version END
WHERE org_id = $1 AND id = $2 AND version = $20 - 1 AND created_at = $22;

-- name: insert_drafts
-- New drafts of several callers, their lines and the facts of them; the schema checks that each adds up.
-- Lines and facts go in as by `insert_lines_of` and `append_many`: here in one round trip instead of three,
-- since drafts are made all day, and SQL is never built from parts.
-- Gives how many of the customers are as they were when they were read; those stay so until the commit.
WITH written AS (
    INSERT INTO invoices (
        org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
        total_minor, paid_minor, due_at, memo, metadata, hosted_generation, version, sequence, created_at,
        updated_at, discounts, taxes, tax_included_minor, excess_minor
    )
    SELECT
        $1, d.id, d.customer_id, 'draft', d.currency, d.subtotal_minor, d.discount_minor, d.tax_minor,
        d.total_minor, 0, d.due_at, d.memo, d.metadata, 1, 1, 1, $2, $2, d.discounts, d.taxes,
        d.tax_included_minor, d.excess_minor
    FROM jsonb_to_recordset($3::jsonb) AS d (
        id uuid, customer_id uuid, currency text, subtotal_minor bigint, discount_minor bigint,
        tax_minor bigint, total_minor bigint, due_at timestamptz, memo text, metadata jsonb,
        discounts jsonb, taxes jsonb, tax_included_minor bigint, excess_minor bigint
    )
),

told AS (
    INSERT INTO events (
        org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
        actor, reason, request_id, occurred_at, snapshot, previous, personal, personal_digest
    )
    SELECT
        $1, e.id, e.type, e.payload_version, e.is_public, e.resource_type, e.resource_id, e.sequence,
        e.actor, e.reason, e.request_id, $2, e.snapshot, e.previous, e.personal, sha256(e.personal)
    FROM jsonb_to_recordset($5::jsonb) AS e (
        id uuid, type text, payload_version smallint, is_public boolean, resource_type text,
        resource_id uuid, sequence integer, actor text, reason text, request_id text, snapshot jsonb,
        previous jsonb, personal bytea
    )
),

lined AS (
    INSERT INTO invoice_lines (
        org_id, invoice_id, id, position, description, type, quantity, unit_amount, amount_minor,
        discount_minor, tax_minor, tax_included_minor, discounts, taxes, subscription_id, period_start_at,
        period_end_at, derivation
    )
    SELECT
        $1, l.invoice_id, l.id, l.position, l.description, l.type, l.quantity, l.unit_amount, l.amount_minor,
        l.discount_minor, l.tax_minor, l.tax_included_minor, l.discounts, l.taxes, l.subscription_id,
        l.period_start_at, l.period_end_at, l.derivation
    FROM jsonb_to_recordset($4::jsonb) AS l (
        invoice_id uuid, id uuid, position integer, description text, type text, quantity bigint,
        unit_amount numeric, amount_minor bigint, discount_minor bigint, tax_minor bigint,
        tax_included_minor bigint, discounts jsonb, taxes jsonb, subscription_id uuid,
        period_start_at timestamptz, period_end_at timestamptz, derivation jsonb
    )
)

SELECT count(*) FROM (
    SELECT FROM customers AS c
    WHERE
        c.org_id = $1 AND c.id = ANY((SELECT $6::uuid[])::uuid[])
        AND concat_ws(' ', c.id, c.xmin) = ANY((SELECT $7::text[])::text[])
    ORDER BY c.id FOR SHARE
) AS same;

-- name: insert_lines_of
-- The lines of one document or several at once, each in its place.
INSERT INTO invoice_lines (
    org_id, invoice_id, id, position, description, type, quantity, unit_amount, amount_minor,
    discount_minor, tax_minor, tax_included_minor, discounts, taxes, subscription_id, period_start_at,
    period_end_at, derivation
)
SELECT
    $1, l.invoice_id, l.id, l.position, l.description, l.type, l.quantity, l.unit_amount, l.amount_minor,
    l.discount_minor, l.tax_minor, l.tax_included_minor, l.discounts, l.taxes, l.subscription_id,
    l.period_start_at, l.period_end_at, l.derivation
FROM jsonb_to_recordset($2::jsonb) AS l (
    invoice_id uuid, id uuid, position integer, description text, type text, quantity bigint,
    unit_amount numeric, amount_minor bigint, discount_minor bigint, tax_minor bigint,
    tax_included_minor bigint, discounts jsonb, taxes jsonb, subscription_id uuid,
    period_start_at timestamptz, period_end_at timestamptz, derivation jsonb
);

-- name: delete_lines
-- Only a draft's lines ever go.
DELETE FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2;
