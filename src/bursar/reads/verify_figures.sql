-- name: figures_match_books
-- The sums of figures are what the ledger, the documents, the payments and the customers say.
WITH told AS (
    SELECT f.measure, f.currency, sum(f.amount_minor) AS minor, sum(f.count) AS count FROM (
        SELECT d.measure, d.currency, d.amount_minor, d.count FROM figure_days AS d
        WHERE d.org_id = $1
        UNION ALL
        SELECT a.measure, a.currency, a.amount_minor, a.count FROM figures AS a WHERE a.org_id = $1
    ) AS f GROUP BY f.measure, f.currency
), books AS (
    SELECT
        a.code AS measure, a.currency,
        sum(CASE a.code WHEN 'revenue' THEN -e.amount_minor ELSE e.amount_minor END) AS minor,
        NULL::bigint AS count
    FROM ledger_accounts AS a
    JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code IN ('revenue', 'refunds', 'bad_debt')
    GROUP BY a.code, a.currency
    UNION ALL
    SELECT 'invoiced' AS measure, i.currency, sum(i.total_minor) AS minor, count(*) AS count
    FROM invoices AS i WHERE i.org_id = $1 AND i.number IS NOT NULL GROUP BY i.currency
    UNION ALL
    SELECT
        CASE v.type
            WHEN 'payment.succeeded' THEN 'payments_succeeded'
            WHEN 'payment.failed' THEN 'payments_failed'
            WHEN 'customer.created' THEN 'customers_created'
            WHEN 'customer.deleted' THEN 'customers_deleted'
            ELSE 'paid'
        END AS measure, v.snapshot ->> 'currency' AS currency, NULL::numeric AS minor,
        count(*) AS count
    FROM events AS v
    WHERE
        v.org_id = $1 AND v.type IN (
            'payment.succeeded', 'payment.failed', 'customer.created', 'customer.deleted',
            'invoice.paid'
        )
        AND NOT EXISTS (SELECT 1 FROM event_archives AS k WHERE k.org_id = $1)
    GROUP BY v.type, v.snapshot ->> 'currency'
    UNION ALL
    SELECT 'mrr_' || m.kind AS measure, m.currency, sum(m.amount_minor) AS minor, count(*) AS count
    FROM mrr_movements AS m WHERE m.org_id = $1 GROUP BY m.kind, m.currency
), compared AS (
    SELECT
        coalesce(b.measure, t.measure) || ' ' || coalesce(b.currency, t.currency) AS name,
        (b.minor IS NULL OR b.minor = coalesce(t.minor, 0))
        AND (b.count IS NULL OR b.count = coalesce(t.count, 0))
        AND (b.measure IS NOT NULL OR t.minor = 0) AS is_good
    FROM books AS b
    FULL JOIN (
        SELECT * FROM told
        WHERE told.measure NOT IN ('collected', 'voided', 'subscribers_gained', 'subscribers_lost')
            -- What these count is in the archive, if there is one.
            AND NOT (
                told.measure IN (
                    'payments_succeeded', 'payments_failed', 'customers_created',
                    'customers_deleted', 'paid'
                )
                AND EXISTS (SELECT 1 FROM event_archives AS k WHERE k.org_id = $1)
            )
    ) AS t ON t.measure = b.measure AND t.currency = b.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM compared AS c;

-- name: months_match_days
-- A month of figures is what its days come to.
WITH days AS (
    SELECT
        d.measure, d.currency, date_trunc('month', d.day::timestamp)::date AS month,
        sum(d.amount_minor) AS minor, sum(d.count) AS count
    FROM figure_days AS d WHERE d.org_id = $1 GROUP BY 1, 2, 3
), compared AS (
    SELECT
        coalesce(m.measure, s.measure) || ' of ' || coalesce(m.month, s.month) AS name,
        coalesce(m.amount_minor, 0) = coalesce(s.minor, 0)
        AND coalesce(m.count, 0) = coalesce(s.count, 0) AS is_good
    FROM (SELECT * FROM figure_months AS k WHERE k.org_id = $1) AS m
    FULL JOIN days AS s
        ON s.measure = m.measure AND s.currency = m.currency AND s.month = m.month
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM compared AS c;

-- name: movements_add_up
-- Each movement begins where the one before ended; what has ended or rests is worth nothing.
WITH ordered AS (
    SELECT
        m.subscription_id, m.version, m.mrr_minor, m.amount_minor,
        lag(m.mrr_minor, 1, 0::bigint) OVER (
            PARTITION BY m.subscription_id ORDER BY m.version
        ) AS former_minor,
        m.version = max(m.version) OVER (PARTITION BY m.subscription_id) AS is_last
    FROM mrr_movements AS m WHERE m.org_id = $1
), checked AS (
    SELECT
        'sub_' || s.id AS name,
        bool_and(o.version IS NULL OR o.mrr_minor = o.former_minor + o.amount_minor)
        AND (
            s.status IN ('active', 'past_due')
            OR coalesce(max(o.mrr_minor) FILTER (WHERE o.is_last), 0) = 0
        ) AS is_good
    FROM subscriptions AS s LEFT JOIN ordered AS o ON o.subscription_id = s.id
    WHERE s.org_id = $1 GROUP BY s.id, s.status
    UNION ALL
    SELECT
        'cust_' || coalesce(k.customer_id, w.customer_id) AS name,
        coalesce(k.mrr_minor, 0) = coalesce(w.mrr_minor, 0) AS is_good
    FROM (SELECT * FROM subscribers AS u WHERE u.org_id = $1) AS k
    FULL JOIN (
        SELECT m.customer_id, m.currency, sum(m.amount_minor) AS mrr_minor
        FROM mrr_movements AS m WHERE m.org_id = $1 GROUP BY m.customer_id, m.currency
    ) AS w ON w.customer_id = k.customer_id AND w.currency = k.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;
