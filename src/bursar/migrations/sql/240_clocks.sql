-- Test clocks that are on their way, and analytics.

-- A clock keeps its row: without now_at its organization lives in real time. Where it is going, and
-- where it set out, are data, so that whoever dies on the way is followed by somebody who goes on.
ALTER TABLE test_clocks
ALTER COLUMN now_at DROP NOT NULL,
ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
ADD COLUMN departed_at timestamptz,
ADD COLUMN target_at timestamptz,
ADD COLUMN version integer NOT NULL DEFAULT 1,
ADD COLUMN sequence integer NOT NULL DEFAULT 0,
ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
ADD UNIQUE (org_id, id),
ADD CONSTRAINT on_its_way CHECK ((target_at IS NULL) = (departed_at IS NULL)),
ADD CONSTRAINT forward CHECK (target_at IS NULL OR (departed_at <= now_at AND now_at <= target_at));
CREATE INDEX test_clocks_under_way ON test_clocks (updated_at) WHERE target_at IS NOT NULL;

-- What a clock has to do next.
CREATE INDEX agenda_of_clock ON agenda (org_id, due_at) WHERE clock = 'business';

-- Which clocks are on their way: ids only.
CREATE FUNCTION sec.clocks_under_way(p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.org_id FROM public.test_clocks AS c
    WHERE c.target_at IS NOT NULL ORDER BY c.updated_at LIMIT p_limit
$$;

REVOKE ALL ON FUNCTION sec.clocks_under_way(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.clocks_under_way(integer) TO bursar_app;

-- What a day adds to the figures people steer by. Whoever makes something true appends its figures in
-- the same transaction, and meets nobody there; a pass moves them into figure_days, added up.
CREATE TABLE figures (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id bigint GENERATED ALWAYS AS IDENTITY,
    measure text NOT NULL,
    currency char(3) NOT NULL,
    day date NOT NULL,
    amount_minor bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (org_id, currency, measure, day, id)
) WITH (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- The same, added up by day: what was appended is in one of the two, and never in both.
CREATE TABLE figure_days (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    currency char(3) NOT NULL,
    measure text NOT NULL,
    day date NOT NULL,
    amount_minor bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (org_id, currency, measure, day)
) WITH (fillfactor = 70);

-- Every movement of monthly recurring revenue, by the version of the subscription that caused it; the
-- last one of a subscription says what it is worth a month.
CREATE TABLE mrr_movements (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    version integer NOT NULL,
    customer_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL,
    mrr_minor bigint NOT NULL CHECK (mrr_minor >= 0),
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, subscription_id, version),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    CONSTRAINT moves_in_its_direction CHECK (
        (amount_minor > 0) = (kind IN ('new', 'expansion', 'reactivation')) AND amount_minor <> 0
    ),
    CONSTRAINT ends_at_nothing CHECK ((mrr_minor = 0) = (kind = 'churn'))
);

-- What a customer is worth a month, over all subscriptions.
CREATE TABLE subscribers (
    org_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    currency char(3) NOT NULL,
    mrr_minor bigint NOT NULL,
    PRIMARY KEY (org_id, customer_id, currency),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT
) WITH (fillfactor = 70);

-- What is open, by its due date, without a look at the documents.
CREATE INDEX invoices_open ON invoices (org_id, currency, due_at)
INCLUDE (total_minor, paid_minor, credited_minor) WHERE status = 'open';

CALL sec.isolate('figures');
CALL sec.isolate('figure_days');
CALL sec.isolate('mrr_movements');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mrr_movements
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
CALL sec.isolate('subscribers');
GRANT SELECT, INSERT, UPDATE, DELETE ON figures TO bursar_app;
GRANT SELECT, INSERT ON mrr_movements TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON figure_days, subscribers TO bursar_app;
GRANT SELECT ON figures, figure_days, mrr_movements, subscribers TO bursar_backup;

-- Organizations with figures to add up: ids only.
CREATE FUNCTION sec.orgs_with_figures(p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH RECURSIVE found (org_id) AS (
        (SELECT f.org_id FROM public.figures AS f ORDER BY f.org_id LIMIT 1)
        UNION ALL
        SELECT next.org_id FROM found CROSS JOIN LATERAL (
            SELECT f.org_id FROM public.figures AS f
            WHERE f.org_id > found.org_id ORDER BY f.org_id LIMIT 1
        ) AS next
    )
    SELECT found.org_id FROM found LIMIT p_limit
$$;
REVOKE ALL ON FUNCTION sec.orgs_with_figures(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.orgs_with_figures(integer) TO bursar_app;

-- What happened before there were figures. Subscriptions begin with this release.
INSERT INTO figure_days (org_id, currency, measure, day, amount_minor, count)
SELECT
    o.org_id, h.currency, h.measure, (h.occurred_at AT TIME ZONE o.timezone)::date,
    sum(h.amount_minor), count(*)
FROM (
    SELECT
        e.org_id, a.currency, a.code AS measure, t.occurred_at,
        CASE a.code WHEN 'revenue' THEN -e.amount_minor ELSE e.amount_minor END AS amount_minor
    FROM ledger_entries AS e
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    JOIN ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
    WHERE a.code IN ('revenue', 'refunds', 'bad_debt')
    UNION ALL
    SELECT e.org_id, a.currency, 'collected' AS measure, t.occurred_at, -e.amount_minor
    FROM ledger_entries AS e
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    JOIN ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
    WHERE
        t.kind IN ('payment_succeeded', 'payment_recorded', 'overpayment', 'wallet_paid_invoice')
        AND (a.code LIKE 'receivable:%' OR a.code LIKE 'credit:%')
    UNION ALL
    SELECT
        v.org_id, v.snapshot ->> 'currency' AS currency,
        CASE v.type
            WHEN 'invoice.finalized' THEN 'invoiced'
            WHEN 'invoice.paid' THEN 'paid'
            WHEN 'invoice.voided' THEN 'voided'
            WHEN 'payment.succeeded' THEN 'payments_succeeded'
            WHEN 'payment.failed' THEN 'payments_failed'
            WHEN 'customer.created' THEN 'customers_created'
            ELSE 'customers_deleted'
        END AS measure, v.occurred_at,
        coalesce(v.snapshot ->> 'totalCents', v.snapshot ->> 'amountCents', '0')::bigint
    FROM events AS v
    WHERE
        v.type IN (
            'invoice.finalized', 'invoice.paid', 'payment.succeeded', 'payment.failed',
            'customer.created', 'customer.deleted'
        )
        OR (v.type = 'invoice.voided' AND v.snapshot ->> 'invoiceNumber' IS NOT NULL)
) AS h
JOIN organizations AS o ON o.org_id = h.org_id
GROUP BY o.org_id, h.currency, h.measure, (h.occurred_at AT TIME ZONE o.timezone)::date;
