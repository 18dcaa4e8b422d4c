-- Twenty thousand of everything for one organization, so that a plan without an index shows.
-- Run by the superuser; {org} and {rows} are put in by the test. What every row refers to is here, so
-- no trigger looks for it.

SET LOCAL session_replication_role = replica;

CREATE TEMP TABLE numbers AS
SELECT n, (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0') || '7000a000'
    || lpad(to_hex(n), 12, '0'))::uuid AS id
FROM generate_series(1, {rows}) AS n;

INSERT INTO customers (
    org_id, id, email, name, currency, metadata, provider_reference, version, sequence,
    created_at, updated_at
)
SELECT '{org}', id, 'c' || n || '@example.com', 'Customer ' || n, 'usd', '{}',
    'cus_' || n, 1, 1, now(), now()
FROM numbers;

INSERT INTO payment_methods (
    org_id, id, customer_id, provider, provider_reference, kind, version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, 'sandbox', 'pm_' || n, 'card', 1, 1, now(), now()
FROM numbers;

INSERT INTO invoices (
    org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
    total_minor, paid_minor, series, number, due_at, metadata, hosted_generation, finalized_at,
    paid_at, version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, 'paid', 'usd', 100, 0, 0, 100, 100, 'OLD', n, now(),
    '{}', 1, now(), now(), 1, 1, now(), now()
FROM numbers;

INSERT INTO invoice_lines (
    org_id, invoice_id, id, position, description, type, quantity, unit_amount, amount_minor
)
SELECT '{org}', id, id, 1, 'Work', 'manual', 1, 100, 100
FROM numbers;

INSERT INTO payments (
    org_id, id, invoice_id, customer_id, mode, status, amount_minor, currency, provider,
    provider_reference, attempt_key, watch_step, credited_minor, settled_at, version, sequence,
    created_at, updated_at
)
SELECT '{org}', id, id, id, 'charge', 'succeeded', 100, 'usd',
    'sandbox', 'pi_' || n, 'key-' || n, 0, 0, now(), 1, 1, now(), now()
FROM numbers;

INSERT INTO refunds (
    org_id, id, payment_id, invoice_id, customer_id, status, amount_minor, currency, provider,
    provider_reference, attempt_key, watch_step, settled_at, version, sequence, created_at, updated_at,
    credit_minor
)
SELECT '{org}', id, id, id, id, 'succeeded', 100, 'usd',
    'sandbox', 're_' || n, 'key-' || n, 0, now(), 1, 1, now(), now(), 0
FROM numbers;

INSERT INTO disputes (
    org_id, id, payment_id, invoice_id, customer_id, status, amount_minor, withdrawn_minor, fee_minor,
    move_count, currency, reason, provider, provider_reference, reported_at, closed_at, version, sequence,
    created_at, updated_at
)
SELECT '{org}', id, id, id, id, 'won', 100, 0, 0, 2, 'usd',
    'general', 'sandbox', 'du_' || n, now(), now(), 1, 1, now(), now()
FROM numbers;

INSERT INTO payouts (
    org_id, id, provider, provider_reference, status, amount_minor, fee_minor, currency, move_count, sent_at,
    arrives_at, version, sequence, created_at, updated_at
)
SELECT '{org}', id, 'sandbox', 'po_' || n, 'paid', 97, 3, 'usd', 1, now(), now(), 1, 1, now(),
    now()
FROM numbers;

INSERT INTO provider_events (org_id, provider, event_id, type, occurred_at, handled_at)
SELECT '{org}', 'sandbox', 'evt_' || n, 'payment_intent.succeeded', now(), now()
FROM numbers;

INSERT INTO ledger_accounts (org_id, id, code, currency, kind)
SELECT '{org}', id, 'customer:' || n, 'usd', 'asset' FROM numbers;

INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
SELECT '{org}', id, 'old', n::text, 'old', now() FROM numbers;

INSERT INTO ledger_entries (
    org_id, transaction_id, position, account_id, amount_minor, currency
)
SELECT '{org}', id, side, id, CASE side WHEN 1 THEN 100 ELSE -100 END, 'usd'
FROM numbers, generate_series(1, 2) AS side;

INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence, actor,
    request_id, occurred_at, snapshot
)
SELECT '{org}', id, 'invoice.paid', 1, true, 'invoice', id, 1, 'system:old',
    'old', now(), '{}'
FROM numbers;

INSERT INTO event_seals (org_id, position, event_id, transaction_id, hash)
SELECT '{org}', n, id, pg_current_xact_id(), sha256('x')
FROM numbers;

UPDATE sec.relay_cursor SET transaction_id = pg_current_xact_id(), event_id = numbers.id
FROM numbers WHERE numbers.n = {rows};

INSERT INTO webhook_subscriptions (
    org_id, id, url, event_types, secret_sealed, is_active, off_reason, version, sequence,
    created_at, updated_at
)
SELECT '{org}', id, 'https://example.com/' || n, '{*}', 'x', false, 'gone', 1, 1, now(),
    now()
FROM numbers;

INSERT INTO webhook_deliveries (
    org_id, id, subscription_id, event_id, event_type, resource_id, sequence, status,
    attempt_count
)
SELECT '{org}', id, id, id, 'invoice.paid', id, 1,
    'delivered', 1
FROM numbers;

INSERT INTO webhook_lanes (org_id, subscription_id, is_open) SELECT '{org}', id, false FROM numbers;

INSERT INTO webhook_attempts (org_id, delivery_id, attempt, duration_ms, status, excerpt)
SELECT '{org}', id, 1, 1, 200, '' FROM numbers;

INSERT INTO idempotency_keys (org_id, key, fingerprint, claim, answer, expires_at)
SELECT '{org}', 'key-' || n, 'x', id, 'x', now() + interval '1 day'
FROM numbers;

INSERT INTO agenda (org_id, kind, subject_id, clock, due_at)
SELECT '{org}', 'watchdog', id, 'wall', now() + interval '1 day'
FROM numbers;

INSERT INTO members (org_id, id, user_id, role, status, version, sequence, created_at, updated_at)
SELECT '{org}', id, id, 'viewer', 'active', 1, 1, now(), now()
FROM numbers;

INSERT INTO api_keys (
    org_id, id, name, key_hash, key_prefix, scopes, version, sequence, created_at, updated_at
)
SELECT '{org}', id, 'old', sha256(n::text::bytea), 'bsk_0000', '{billing:read}', 1, 1,
    now(), now()
FROM numbers;

INSERT INTO queue.pgqueuer (priority, status, entrypoint, payload, headers, execute_after)
SELECT 0, 'queued', 'payments', '{}', '{"org": "{org}"}', now() + interval '1 day'
FROM numbers;

INSERT INTO meters (
    org_id, id, name, key, aggregation, thresholds, version, sequence, created_at, updated_at
)
SELECT '{org}', id, 'Old', 'old_' || n, 'sum', '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO plans (
    org_id, id, name, status, currency, billing_interval, trial_days, price_version, metadata,
    version, sequence, created_at, updated_at
)
SELECT '{org}', id, 'Old', 'active', 'usd', 'month', 0, 1, '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO plan_versions (org_id, plan_id, number, created_at)
SELECT '{org}', id, 1, now() FROM numbers;

INSERT INTO prices (
    org_id, id, plan_id, plan_version, position, meter_id, pricing_model, billing_interval,
    unit_amount, tiers
)
SELECT '{org}', id, id, 1, 1, id, 'per_unit', 'month', 1, '[]'
FROM numbers;

INSERT INTO subscriptions (
    org_id, id, customer_id, plan_id, plan_version, status, quantity, agreed_since_at, anchor_day,
    anchored_at, started_at, period_start_at, period_end_at, coupons, cancel_at_period_end,
    metadata, version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, id, 1, 'active', 1, now(), 1, now(),
    now(), now(), now() + interval '1 month', '[]', false, '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO subscription_terms (
    org_id, subscription_id, since_at, plan_id, plan_version, quantity
)
SELECT '{org}', id, now(), id, 1, 1 FROM numbers;

INSERT INTO pending_lines (
    org_id, id, customer_id, subscription_id, kind, description, quantity, unit_amount,
    amount_minor, currency, price_id, period_start_at, period_end_at, is_discountable, due_at,
    derivation, created_at
)
SELECT '{org}', id, id, id, 'proration', 'Old', 1, 1, 1, 'usd',
    id, now(), now() + interval '1 month', false, now(), '{}', now()
FROM numbers;

INSERT INTO usage_events (
    org_id, idempotency_key, id, subscription_id, meter_id, quantity, occurred_at, day, properties,
    value, recorded_at
)
SELECT '{org}', 'old-' || n, id, id, id, 1, now(), current_date,
    '{}', 1, now()
FROM numbers;

INSERT INTO usage_days (
    org_id, subscription_id, meter_id, day, event_count, total, greatest, latest, latest_at,
    latest_key, is_settled
)
SELECT '{org}', id, id, current_date, 1, 1, 1, 1, now(), 'old-' || n, true
FROM numbers;

INSERT INTO usage_values (org_id, subscription_id, meter_id, day, value)
SELECT '{org}', id, id, current_date, 'old' FROM numbers;

INSERT INTO usage_aggregates (
    org_id, id, subscription_id, meter_id, period_start_at, period_end_at, threshold, quantity,
    version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, id, now(), now() + interval '1 month', 1, 1,
    1, 1, now(), now()
FROM numbers;

INSERT INTO coupons (
    org_id, id, name, percent_off, duration, status, metadata, version, sequence, created_at,
    updated_at
)
SELECT '{org}', id, 'Old', 20, 'once', 'active', '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO recurring_invoices (
    org_id, id, customer_id, status, currency, lines, recurs, interval_count, timezone, start_at,
    occurrence, last_invoice_id, auto_finalize, auto_send, metadata, version, sequence, created_at,
    updated_at
)
SELECT '{org}', id, id, 'canceled', 'usd', '[]', 'month', 1, 'UTC', now(), 1,
    id, true, false, '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO recurring_occurrences (org_id, recurring_invoice_id, occurrence, invoice_id, due_at)
SELECT '{org}', id, 0, id, now() FROM numbers;

INSERT INTO mails (org_id, id, kind, language, recipient, status, settled_at, invoice_id)
SELECT '{org}', id, 'invoice', 'en', 'c@example.com', 'sent', now(), id
FROM numbers;

INSERT INTO invoice_reminders (org_id, invoice_id, days, written_at)
SELECT '{org}', id, 1, now() FROM numbers;

INSERT INTO customer_places (org_id, customer_id, place)
SELECT '{org}', id, n FROM numbers;

INSERT INTO imports (
    org_id, id, kind, format, created, unchanged, failed, faults, version, sequence, created_at, updated_at
)
SELECT '{org}', id, 'customers', 'csv', 1, 0, 0, '[]', 1, 1, now(), now()
FROM numbers;

INSERT INTO imported_customers (org_id, reference, customer_id, digest)
SELECT '{org}', n::text, id, '\x00' FROM numbers;

INSERT INTO opening_balances (org_id, customer_id, amount_minor, currency)
SELECT '{org}', id, 1, 'usd' FROM numbers;

INSERT INTO tax_rates (
    org_id, id, name, percent, is_inclusive, category, is_automatic, status, archived_at, metadata,
    version, sequence, created_at, updated_at
)
SELECT
    '{org}', id, 'Old', 20, false, 'standard', true, 'archived', now(), '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO saved_views (org_id, id, user_id, list, query, name, is_shared, created_at, updated_at)
SELECT '{org}', id, id, 'invoices', 'status=open', 'Old', false, now(), now()
FROM numbers;

INSERT INTO dunning_cases (
    org_id, id, invoice_id, customer_id, policy, step, retry_count, current_action, next_at, decline_kind,
    resolved_at, resolution, version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, id, '{}', 1, 1, 'retry',
    CASE WHEN n % 10 = 0 THEN now() END, 'retry',
    CASE WHEN n % 10 <> 0 THEN now() END, CASE WHEN n % 10 <> 0 THEN 'paid' END, 1, 1, now(), now()
FROM numbers;

INSERT INTO credit_notes (
    org_id, id, invoice_id, customer_id, series, number, currency, total_minor, tax_minor, applied_minor,
    credited_minor, destination, metadata, version, sequence, created_at, updated_at
)
SELECT '{org}', id, id, id, 'CN', n, 'usd', 1, 0, 0, 1, 'credit_balance',
    '{}', 1, 1, now(), now()
FROM numbers;

INSERT INTO credit_note_lines (
    org_id, credit_note_id, id, position, invoice_id, invoice_line_id, description, amount_minor, tax_minor,
    taxes
)
SELECT '{org}', id, id, 1, id, id, 'Work', 1, 0, '[]'
FROM numbers;

INSERT INTO former_parties (org_id, kind, subject_id, until_version, said)
SELECT '{org}', 'buyer', id, 1, '{"name": "Once"}'
FROM numbers;

INSERT INTO figure_days (org_id, currency, measure, day, amount_minor, count)
SELECT '{org}', 'usd', 'large_' || n % 20, date '2000-01-01' + (n / 20)::integer, 1, 1
FROM numbers;
INSERT INTO figure_months (org_id, currency, measure, month, amount_minor, count)
SELECT '{org}', 'usd', 'large_' || n % 200, date '1900-01-01' + make_interval(months => (n / 200)::integer),
    1, 1
FROM numbers;
INSERT INTO figures (measure, org_id, currency, day, amount_minor, count)
SELECT 'large_' || n % 20, '{org}', 'usd', date '2000-01-01' + (n / 20)::integer, 1, 1
FROM numbers;

INSERT INTO prints (org_id, subject_id, invoice_id, fingerprint, sha256, body_boxed)
SELECT '{org}', id, id, sha256(n::text::bytea), sha256(n::text::bytea), '\x02'
FROM numbers;
