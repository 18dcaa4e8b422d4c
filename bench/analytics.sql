-- A history of finalized documents over a thousand days, written without triggers.
SET session_replication_role = replica;

CREATE TEMP TABLE buyers AS
SELECT sec.new_uuid7() AS id, n - 1 AS turn FROM generate_series(1, 1000) AS n;

INSERT INTO customers (
    org_id, id, email, name, currency, metadata, version, sequence, created_at, updated_at
)
SELECT '{org}', b.id, 'c' || b.turn || '@example.com', 'Customer', 'usd', '{}', 1, 1, now(), now()
FROM buyers AS b;

INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, finalized_at, due_at, paid_at, metadata,
    hosted_generation, version, sequence, created_at, updated_at
)
SELECT
    '{org}', sec.new_uuid7(), b.id, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'paid' END, 'usd',
    n % 9000 + 100, 0, 0, n % 9000 + 100, CASE WHEN n % 50 = 0 THEN 0 ELSE n % 9000 + 100 END,
    'INV-2026', n, d.day, d.day + interval '14 days',
    CASE WHEN n % 50 = 0 THEN NULL ELSE d.day + interval '1 hour' END, '{}', 1, 1, 1, d.day, d.day
FROM generate_series(1, {rows}) AS n
JOIN buyers AS b ON b.turn = n % 1000
CROSS JOIN LATERAL (
    SELECT date_trunc('day', now()) - make_interval(days => n % 1000) + interval '1 hour' AS day
) AS d;

INSERT INTO mrr_movements (
    org_id, subscription_id, version, customer_id, kind, currency, amount_minor, mrr_minor, occurred_at
)
SELECT
    '{org}', sec.new_uuid7(), 1, b.id, 'new', 'usd', 2000, 2000,
    date_trunc('day', now()) - make_interval(days => n % 1000) + interval '1 hour'
FROM generate_series(1, {rows} / 10) AS n JOIN buyers AS b ON b.turn = n % 1000;

-- What the application would have appended and added up on the way.
INSERT INTO figure_days (org_id, currency, measure, day, amount_minor, count)
SELECT i.org_id, i.currency, m.measure, i.finalized_at::date, sum(i.total_minor), count(*)
FROM invoices AS i CROSS JOIN (VALUES ('revenue'), ('invoiced'), ('paid')) AS m (measure)
WHERE i.org_id = '{org}' AND (m.measure <> 'paid' OR i.status = 'paid')
GROUP BY i.org_id, i.currency, m.measure, i.finalized_at::date;
INSERT INTO figure_days (org_id, currency, measure, day, amount_minor, count)
SELECT m.org_id, m.currency, 'mrr_new', m.occurred_at::date, sum(m.amount_minor), count(*)
FROM mrr_movements AS m WHERE m.org_id = '{org}' GROUP BY m.org_id, m.currency, m.occurred_at::date;

INSERT INTO figure_months (org_id, currency, measure, month, amount_minor, count)
SELECT d.org_id, d.currency, d.measure, date_trunc('month', d.day)::date, sum(d.amount_minor), sum(d.count)
FROM figure_days AS d WHERE d.org_id = '{org}' GROUP BY 1, 2, 3, 4;

VACUUM (ANALYZE) invoices, mrr_movements, figure_days, figure_months, customers;
