-- name: receivables_match_invoices
-- What the ledger says a customer owes is what is due on their open invoices.
WITH owed AS (
    SELECT
        'receivable:cust_' || i.customer_id AS code, i.currency,
        sum(i.total_minor - i.paid_minor - i.credited_minor) AS due
    FROM invoices AS i WHERE i.org_id = $1 AND i.status = 'open' GROUP BY i.customer_id, i.currency
), booked AS (
    SELECT a.code, a.currency, coalesce(sum(e.amount_minor), 0) AS held
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code LIKE 'receivable:%' GROUP BY a.org_id, a.id
), checked AS (
    SELECT
        coalesce(o.code, b.code) || ' ' || coalesce(o.currency, b.currency) AS name,
        coalesce(o.due, 0) = coalesce(b.held, 0) AS is_good
    FROM owed AS o FULL JOIN booked AS b ON b.code = o.code AND b.currency = o.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: credits_match_payments
-- What the ledger says a customer has as credit is what was brought, less what was spent or given back.
WITH moves AS (
    SELECT
        p.customer_id, p.currency,
        p.credited_minor - CASE p.mode WHEN 'credit' THEN p.amount_minor ELSE 0 END AS amount
    FROM payments AS p
    WHERE
        p.org_id = $1 AND (p.credited_minor > 0 OR p.mode = 'credit')
        AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
    UNION ALL
    SELECT o.customer_id, o.currency, o.amount_minor FROM opening_balances AS o WHERE o.org_id = $1
    UNION ALL
    SELECT i.customer_id, i.currency, i.excess_minor FROM invoices AS i
    WHERE i.org_id = $1 AND i.number IS NOT NULL AND i.status <> 'void' AND i.excess_minor > 0
    UNION ALL
    SELECT n.customer_id, n.currency, n.credited_minor FROM credit_notes AS n
    WHERE n.org_id = $1 AND n.credited_minor > 0
    UNION ALL
    SELECT
        r.customer_id, r.currency,
        CASE r.provider WHEN 'credit' THEN r.amount_minor ELSE 0 END - r.credit_minor AS amount
    FROM refunds AS r
    WHERE r.org_id = $1 AND r.status <> 'failed' AND (r.provider = 'credit' OR r.credit_minor > 0)
), brought AS (
    SELECT 'credit:cust_' || m.customer_id AS code, m.currency, sum(m.amount) AS brought
    FROM moves AS m GROUP BY m.customer_id, m.currency
), booked AS (
    SELECT a.code, a.currency, -coalesce(sum(e.amount_minor), 0) AS held
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code LIKE 'credit:%' GROUP BY a.org_id, a.id
), checked AS (
    SELECT
        coalesce(r.code, b.code) || ' ' || coalesce(r.currency, b.currency) AS name,
        coalesce(r.brought, 0) = coalesce(b.held, 0) AS is_good
    FROM brought AS r FULL JOIN booked AS b ON b.code = r.code AND b.currency = r.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: invoices_add_up
-- Each sum of a document is the sum of its lines; the total is what the sums say.
WITH summed AS (
    SELECT
        l.invoice_id, sum(l.amount_minor) AS amount, sum(l.discount_minor) AS discount,
        sum(l.tax_minor) AS tax, sum(l.tax_included_minor) AS included
    FROM invoice_lines AS l WHERE l.org_id = $1 GROUP BY l.invoice_id
), checked AS (
    SELECT
        'inv_' || i.id AS name,
        (i.subtotal_minor, i.discount_minor, i.tax_minor, i.tax_included_minor) = (
            coalesce(s.amount, 0), coalesce(s.discount, 0), coalesce(s.tax, 0), coalesce(s.included, 0)
        )
        AND i.tax_minor = (
            SELECT coalesce(sum((t.tax ->> 'amount')::bigint), 0)
            FROM jsonb_array_elements(i.taxes) AS t (tax)
        )
        AND i.total_minor - i.excess_minor
        = i.subtotal_minor - i.discount_minor + i.tax_minor - i.tax_included_minor AS is_good
    FROM invoices AS i LEFT JOIN summed AS s ON s.invoice_id = i.id
    WHERE i.org_id = $1
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: invoices_match_payments
-- What was paid is what its payments brought; paid means nothing is due, open means something is.
WITH checked AS (
    SELECT
        'inv_' || i.id AS name,
        i.paid_minor = coalesce(sum(p.amount_minor - p.credited_minor), 0)
        AND CASE i.status
            WHEN 'paid' THEN i.paid_minor + i.credited_minor = i.total_minor
            WHEN 'open' THEN i.paid_minor + i.credited_minor < i.total_minor
            WHEN 'uncollectible' THEN i.paid_minor < i.total_minor
            ELSE i.paid_minor = 0
        END AS is_good
    FROM invoices AS i
    LEFT JOIN payments AS p ON p.org_id = i.org_id AND p.invoice_id = i.id
        AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
    WHERE i.org_id = $1 GROUP BY i.org_id, i.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: invoices_are_booked
-- Every finalized invoice is booked once with its parts, every void one of them is reversed.
WITH moved AS (
    SELECT
        t.kind = 'invoice_voided' AS is_reverse, t.source_id,
        coalesce(sum(e.amount_minor) FILTER (WHERE split_part(a.code, ':', 1) IN ('receivable', 'credit')), 0)
        AS owed,
        coalesce(sum(e.amount_minor) FILTER (WHERE a.code = 'revenue'), 0) AS net,
        coalesce(sum(e.amount_minor) FILTER (WHERE a.code LIKE 'tax_payable:%'), 0) AS tax
    FROM ledger_transactions AS t
    JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
    JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    WHERE t.org_id = $1 AND t.kind IN ('invoice_finalized', 'excess_credited', 'invoice_voided')
    GROUP BY t.kind = 'invoice_voided', t.source_id
), wanted AS (
    SELECT
        i.id, i.status, CASE WHEN i.number IS NULL THEN 0 ELSE 1 END AS final,
        i.total_minor - i.excess_minor AS owed, i.tax_minor AS tax,
        i.subtotal_minor - i.discount_minor - i.tax_included_minor AS net
    FROM invoices AS i WHERE i.org_id = $1
), checked AS (
    SELECT
        'inv_' || w.id AS name,
        (coalesce(f.owed, 0), coalesce(f.net, 0), coalesce(f.tax, 0))
        = ((w.final * w.owed)::numeric, (-w.final * w.net)::numeric, (-w.final * w.tax)::numeric)
        AND (coalesce(v.owed, 0), coalesce(v.net, 0), coalesce(v.tax, 0)) = CASE
            WHEN w.status = 'void'
                THEN ((-w.final * w.owed)::numeric, (w.final * w.net)::numeric, (w.final * w.tax)::numeric)
            ELSE (0::numeric, 0::numeric, 0::numeric)
        END AS is_good
    FROM wanted AS w
    LEFT JOIN moved AS f ON NOT f.is_reverse AND f.source_id = 'inv_' || w.id
    LEFT JOIN moved AS v ON v.is_reverse AND v.source_id = 'inv_' || w.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: payments_are_booked
-- Every payment that brought money is booked once with its amount; no other is booked at all.
WITH moved AS (
    SELECT
        t.source_id,
        coalesce(sum(e.amount_minor) FILTER (WHERE t.kind <> 'overpayment'), 0) AS applied,
        coalesce(sum(e.amount_minor) FILTER (WHERE t.kind = 'overpayment'), 0) AS credited,
        array_agg(DISTINCT t.kind) AS kinds
    FROM ledger_transactions AS t
    JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
    WHERE t.org_id = $1 AND t.source_id LIKE 'pay\_%' AND t.kind IN (
        'payment_succeeded', 'overpayment', 'wallet_deposited', 'wallet_paid_invoice',
        'payment_recorded', 'credit_applied'
    ) AND e.amount_minor > 0 GROUP BY t.source_id
), checked AS (
    SELECT
        'pay_' || p.id AS name,
        CASE
            WHEN p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
                THEN m.credited = p.credited_minor AND m.applied = p.amount_minor - p.credited_minor
                AND m.kinds <@ ARRAY['overpayment', CASE
                    WHEN p.purpose = 'wallet_deposit' THEN 'wallet_deposited'
                    WHEN p.mode = 'wallet' THEN 'wallet_paid_invoice'
                    WHEN p.mode = 'manual' THEN 'payment_recorded'
                    WHEN p.mode = 'credit' THEN 'credit_applied'
                    ELSE 'payment_succeeded'
                END]
            ELSE m.source_id IS NULL
        END AS is_good
    FROM payments AS p LEFT JOIN moved AS m ON m.source_id = 'pay_' || p.id
    WHERE p.org_id = $1
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: dunning_is_looked_after
-- Open dunning of an open invoice waits for its next step or for an attempt; it is over when the invoice is.
WITH checked AS (
    SELECT
        'inv_' || d.invoice_id AS name,
        CASE
            WHEN d.resolved_at IS NOT NULL THEN i.status <> 'open' OR d.resolution IN ('by_hand', 'exhausted')
            WHEN d.paused_at IS NOT NULL THEN i.status = 'open'
            ELSE i.status = 'open' AND (g.subject_id IS NOT NULL OR p.id IS NOT NULL)
        END AS is_good
    FROM dunning_cases AS d
    JOIN invoices AS i ON i.org_id = d.org_id AND i.id = d.invoice_id
    LEFT JOIN agenda AS g ON g.org_id = d.org_id AND g.kind = 'dunning' AND g.subject_id = d.invoice_id
    LEFT JOIN payments AS p ON p.org_id = d.org_id AND p.invoice_id = d.invoice_id
        AND p.status IN ('pending', 'requires_action', 'processing')
    WHERE d.org_id = $1
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: notes_are_of_their_invoices
-- What an invoice says was taken back is what its notes say, line by line, and no more than it.
WITH lines AS (
    SELECT n.credit_note_id, sum(n.amount_minor) AS amount, sum(n.tax_minor) AS tax
    FROM credit_note_lines AS n WHERE n.org_id = $1 GROUP BY n.credit_note_id
), notes AS (
    SELECT
        n.invoice_id, sum(n.total_minor) AS noted, sum(n.applied_minor) AS applied,
        bool_and((n.total_minor, n.tax_minor) = (l.amount, l.tax)) AS is_sum,
        bool_and(n.net = b.net) AS is_booked
    FROM (SELECT c.*, c.total_minor - c.tax_minor AS net FROM credit_notes AS c WHERE c.org_id = $1) AS n
    LEFT JOIN lines AS l ON l.credit_note_id = n.id
    LEFT JOIN (
        SELECT
            t.source_id, coalesce(sum(e.amount_minor) FILTER (WHERE a.code = 'revenue'), 0) AS net
        FROM ledger_transactions AS t
        JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
        JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
        WHERE t.org_id = $1 AND t.kind = 'credit_note_issued' GROUP BY t.source_id
    ) AS b ON b.source_id = 'cn_' || n.id
    GROUP BY n.invoice_id
), checked AS (
    SELECT
        'inv_' || i.id AS name,
        CASE
            WHEN n.invoice_id IS NULL THEN i.noted_minor = 0 AND i.credited_minor = 0
            ELSE i.noted_minor = n.noted AND i.credited_minor = n.applied AND n.is_sum AND n.is_booked
        END AS is_good
    FROM invoices AS i LEFT JOIN notes AS n ON n.invoice_id = i.id
    WHERE i.org_id = $1 AND (i.noted_minor > 0 OR n.invoice_id IS NOT NULL)
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: numbers_have_no_gaps
-- The invoices of a series carry the numbers from one to the last one given, each once.
WITH numbered AS (
    SELECT i.series, i.number FROM invoices AS i WHERE i.org_id = $1 AND i.series IS NOT NULL
    UNION ALL SELECT n.series, n.number FROM credit_notes AS n WHERE n.org_id = $1
), used AS (
    SELECT u.series, count(DISTINCT u.number) AS held, min(u.number) AS lowest, max(u.number) AS highest
    FROM numbered AS u GROUP BY u.series
), given AS (
    SELECT s.series, s.last_number FROM invoice_series AS s WHERE s.org_id = $1
), checked AS (
    SELECT
        coalesce(u.series, g.series) AS name,
        u.lowest = 1 AND u.highest = u.held AND g.last_number = u.held AS is_good
    FROM used AS u FULL JOIN given AS g ON g.series = u.series
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: collected
-- Every payment that a provider holds money for, by our books.
SELECT p.id, p.provider, p.provider_reference, p.amount_minor, p.refunded_minor, p.currency FROM payments AS p
WHERE
    p.org_id = $1 AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
    AND p.mode IN ('checkout', 'charge')
ORDER BY p.id;
