-- What an organization of some size has behind its lists, written without triggers.
SET session_replication_role = replica;

CREATE TEMP TABLE buyers AS
SELECT sec.new_uuid7() AS id, n - 1 AS turn FROM generate_series(1, {rows} / 5) AS n;

INSERT INTO customers (
    org_id, id, email, name, currency, metadata, version, sequence, created_at, updated_at
)
SELECT '{org}', b.id, 'c' || b.turn || '@example.com', 'Customer ' || b.turn, 'usd', '{}', 1, 1, now(), now()
FROM buyers AS b;

CREATE TEMP TABLE papers AS
SELECT
    sec.new_uuid7() AS id, n, b.id AS customer_id,
    CASE
        WHEN n % 1000 = 1 THEN 'draft' WHEN n % 1000 = 2 THEN 'uncollectible'
        WHEN n % 200 = 3 THEN 'void' WHEN n % 20 = 4 THEN 'open' ELSE 'paid'
    END AS status,
    now() - make_interval(mins => ({rows} - n)::int) AS at
FROM generate_series(1, {rows}) AS n JOIN buyers AS b ON b.turn = n % ({rows} / 5);

INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, finalized_at, due_at, paid_at, metadata,
    hosted_generation, version, sequence, created_at, updated_at
)
SELECT
    '{org}', p.id, p.customer_id, p.status, 'usd', 900, 0, 0, 900,
    CASE p.status WHEN 'paid' THEN 900 ELSE 0 END,
    CASE WHEN p.status <> 'draft' THEN 'INV-2026' END, CASE WHEN p.status <> 'draft' THEN p.n END,
    CASE WHEN p.status <> 'draft' THEN p.at END,
    CASE WHEN p.status <> 'draft' THEN p.at + interval '14 days' END,
    CASE p.status WHEN 'paid' THEN p.at END, '{}', 1, 1, 1, p.at, p.at
FROM papers AS p;

INSERT INTO invoice_series VALUES ('{org}', 'INV-2026', {rows});

INSERT INTO payments (
    org_id, id, invoice_id, customer_id, mode, status, amount_minor, currency, provider, attempt_key,
    watch_step, credited_minor, settled_at, version, sequence, created_at, updated_at
)
SELECT
    '{org}', sec.new_uuid7(), p.id, p.customer_id, 'charge',
    CASE WHEN p.status = 'paid' THEN 'succeeded' ELSE 'failed' END,
    900, 'usd', 'sandbox', p.n::text, 0, 0, p.at, 1, 1, p.at, p.at
FROM papers AS p WHERE p.status <> 'draft';

INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence, actor,
    request_id, occurred_at, snapshot
)
SELECT
    e.org_id, sec.new_uuid7(), e.type, e.payload_version, e.is_public, e.resource_type, p.id, copies.n,
    e.actor, e.request_id, p.at, e.snapshot
FROM (SELECT * FROM events WHERE org_id = '{org}' AND type = 'plan.created' LIMIT 1) AS e
CROSS JOIN papers AS p CROSS JOIN generate_series(1, 10) AS copies (n);

VACUUM (ANALYZE) customers, invoices, payments, events;
