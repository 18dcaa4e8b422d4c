-- name: update_subscriptions
-- Replaces exactly the versions before; customers and starts are what was agreed to and stay.
UPDATE subscriptions AS s SET
    version = n.version, sequence = n.sequence, updated_at = $2, plan_id = n.plan_id,
    plan_version = n.plan_version, quantity = n.quantity, agreed_since_at = n.agreed_since_at,
    status = n.status, anchored_at = n.anchored_at, period_start_at = n.period_start_at,
    period_end_at = n.period_end_at, charged_plan_id = n.charged_plan_id,
    charged_plan_version = n.charged_plan_version, charged_quantity = n.charged_quantity,
    scheduled_plan_id = NULL, scheduled_plan_version = NULL, scheduled_quantity = NULL,
    cancel_at_period_end = n.cancel_at_period_end, canceled_at = n.canceled_at, ended_at = n.ended_at,
    paused_at = n.paused_at
FROM unnest(
    $3::uuid[], $4::integer[], $5::integer[], $6::uuid[], $7::integer[], $8::bigint[],
    $9::timestamptz[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
    $14::uuid[], $15::integer[], $16::bigint[], $17::boolean[], $18::timestamptz[], $19::timestamptz[],
    $20::timestamptz[]
) AS n (
    id, version, sequence, plan_id, plan_version, quantity, agreed_since_at, status, anchored_at,
    period_start_at, period_end_at, charged_plan_id, charged_plan_version, charged_quantity,
    cancel_at_period_end, canceled_at, ended_at, paused_at
)
WHERE s.org_id = $1 AND s.id = n.id AND s.version = n.version - 1;

-- name: note_terms
-- What holds from an instant on.
INSERT INTO subscription_terms (
    org_id, subscription_id, since_at, plan_id, plan_version, quantity
)
SELECT $1, t.subscription_id, t.since_at, t.plan_id, t.plan_version, t.quantity
FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[], $5::integer[], $6::bigint[])
AS t (subscription_id, since_at, plan_id, plan_version, quantity)
ON CONFLICT (org_id, subscription_id, since_at) DO NOTHING;

-- name: insert_invoices
-- New documents; the schema checks that each adds up. Final ones keep what they are issued under.
INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, due_at, memo, metadata, hosted_generation,
    finalized_at, paid_at, version, sequence, created_at, updated_at, subscription_id,
    billing_reason, period_start_at, period_end_at, discounts, taxes, tax_included_minor,
    excess_minor, credited_minor, noted_minor, buyer_version, seller_version, settings_version
)
SELECT
    $1, i.id, i.customer_id, i.status, i.currency, i.subtotal_minor, i.discount_minor, i.tax_minor,
    i.total_minor, i.paid_minor, i.series, i.number, i.due_at, NULL, '{}', 1, i.finalized_at, i.paid_at,
    1, i.sequence, $2, $2, i.subscription_id, i.billing_reason, i.period_start_at, i.period_end_at,
    i.discounts, i.taxes, i.tax_included_minor, i.excess_minor, 0, 0,
    CASE WHEN i.finalized_at IS NOT NULL THEN
        (SELECT c.version FROM customers AS c WHERE c.org_id = $1 AND c.id = i.customer_id)
    END,
    CASE WHEN i.finalized_at IS NOT NULL THEN
        (SELECT o.version FROM organizations AS o WHERE o.org_id = $1)
    END,
    CASE WHEN i.finalized_at IS NOT NULL THEN
        coalesce((SELECT d.version FROM document_settings AS d WHERE d.org_id = $1 AND d.id = $1), 0)
    END
FROM unnest(
    $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[], $12::text[], $13::integer[], $14::timestamptz[], $15::timestamptz[],
    $16::timestamptz[], $17::integer[], $18::uuid[], $19::text[], $20::timestamptz[],
    $21::timestamptz[], $22::jsonb[], $23::jsonb[], $24::bigint[], $25::bigint[]
) AS i (
    id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor, total_minor,
    paid_minor, series, number, due_at, finalized_at, paid_at, sequence, subscription_id,
    billing_reason, period_start_at, period_end_at, discounts, taxes, tax_included_minor, excess_minor
);

-- name: note_overdue
-- Open documents that fell due; replaces exactly the versions before.
UPDATE invoices AS i SET
    version = n.version, sequence = n.sequence, updated_at = $2, overdue_at = $2
FROM unnest($3::uuid[], $4::integer[], $5::integer[]) AS n (id, version, sequence)
WHERE i.org_id = $1 AND i.id = n.id AND i.version = n.version - 1 AND i.status = 'open';
