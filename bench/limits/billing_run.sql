-- The least that billing so many subscriptions must write, by one statement: an invoice with a fee and
-- usage, its booking, three facts, what is covered, the next period and the next look.
WITH due AS (
    SELECT s.id, s.customer_id, s.period_end_at, s.version, s.sequence, sec.new_uuid7() AS invoice_id,
        sec.new_uuid7() AS posting_id, row_number() OVER (ORDER BY s.id) AS place
    FROM subscriptions AS s JOIN agenda AS a
        ON a.org_id = s.org_id AND a.kind = 'bill_subscription' AND a.subject_id = s.id
    WHERE s.org_id = $1 AND a.due_at <= now()
    ORDER BY s.id LIMIT $2
), usage AS (
    SELECT d.subscription_id, d.meter_id, sum(d.total)::bigint AS quantity FROM usage_days AS d
    JOIN due ON due.id = d.subscription_id
    WHERE d.org_id = $1 GROUP BY d.subscription_id, d.meter_id
), settled AS (
    UPDATE usage_days AS d SET is_settled = true FROM due
    WHERE d.org_id = $1 AND d.subscription_id = due.id
), renewed AS (
    UPDATE subscriptions AS s SET period_start_at = due.period_end_at, version = s.version + 1,
        period_end_at = due.period_end_at + interval '1 month', sequence = s.sequence + 1
    FROM due WHERE s.org_id = $1 AND s.id = due.id
), looked AS (
    UPDATE agenda AS a SET due_at = due.period_end_at + interval '1 month' FROM due
    WHERE a.org_id = $1 AND a.kind = 'bill_subscription' AND a.subject_id = due.id
), documents AS (
    INSERT INTO invoices (org_id, id, customer_id, status, currency, subtotal_minor, discount_minor,
        tax_minor, total_minor, paid_minor, series, number, due_at, metadata, hosted_generation,
        finalized_at, version, sequence, created_at, updated_at, subscription_id)
    SELECT $1, invoice_id, customer_id, 'open', 'usd', 5250, 0, 0, 5250, 0, $3, place, now(), '{}', 1,
        now(), 1, 2, now(), now(), id FROM due
), lines AS (
    INSERT INTO invoice_lines (org_id, invoice_id, id, position, description, type, quantity,
        unit_amount, amount_minor, subscription_id)
    SELECT $1, d.invoice_id, sec.new_uuid7(), p.place, 'Line', 'subscription', 1, 1, 1, d.id
    FROM due AS d, generate_series(1, 2) AS p (place)
), covered AS (
    INSERT INTO billed_periods (org_id, subscription_id, meter_id, start_at, end_at, follows_id, kind,
        quantity, amount_minor, invoice_id)
    SELECT $1, d.id, '00000000-0000-0000-0000-000000000000', d.period_end_at,
        d.period_end_at + interval '1 month', '00000000-0000-0000-0000-000000000000', 'pause', 0, 0,
        d.invoice_id
    FROM due AS d
), posted AS (
    INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
    SELECT $1, posting_id, 'invoice_finalized', 'inv_' || invoice_id, '', now() FROM due
), entries AS (
    INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
    SELECT $1, d.posting_id, e.place, $4, e.minor, 'usd'
    FROM due AS d, (VALUES (1, 5250), (2, -5250)) AS e (place, minor)
)
INSERT INTO events (org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, request_id, occurred_at, snapshot)
SELECT $1, sec.new_uuid7(), e.type, 1, true, 'invoice', d.invoice_id, 1, 'system:bench', 'bench', now(),
    jsonb_build_object('padding', repeat('x', 900))
FROM due AS d, (VALUES ('invoice.created'), ('invoice.finalized'), ('subscription.updated')) AS e (type)
