-- name: lock_look
-- When billing has to look at a subscription; the row stays ours, so that nobody else looks.
SELECT due_at FROM agenda
WHERE org_id = $1 AND kind = 'bill_subscription' AND subject_id = $2
FOR UPDATE;

-- name: claim_looks
-- Subscriptions that are due, the earliest first, with their customers locked; others' are passed over.
-- Which of those due at one instant come is the index's: to sort them, each chunk would read all of it.
SELECT a.subject_id, s.customer_id, a.due_at
FROM agenda AS a
JOIN subscriptions AS s ON s.org_id = a.org_id AND s.id = a.subject_id
JOIN customers AS c ON c.org_id = s.org_id AND c.id = s.customer_id
WHERE a.org_id = $1 AND a.kind = 'bill_subscription' AND a.due_at <= $2
ORDER BY a.due_at
LIMIT $3
FOR NO KEY UPDATE OF c, a SKIP LOCKED;

-- name: claim_siblings
-- Other subscriptions of the same customers that are due; their customers are locked already.
SELECT a.subject_id
FROM subscriptions AS o
JOIN subscriptions AS s ON s.org_id = o.org_id AND s.customer_id = o.customer_id
JOIN agenda AS a ON a.org_id = s.org_id AND a.kind = 'bill_subscription' AND a.subject_id = s.id
WHERE
    o.org_id = $1 AND o.id = ANY($2::uuid[]) AND NOT s.id = ANY($2::uuid[]) AND a.due_at <= $3
ORDER BY a.due_at, a.subject_id
FOR NO KEY UPDATE OF a SKIP LOCKED;

-- name: billing_terms
-- How the organization bills.
SELECT
    timezone, net_terms_days, invoice_prefix, invoice_grace_hours AS grace_hours, has_zero_invoices,
    has_consolidated_invoices, is_credit_applied, invoice_numbering, has_yearly_numbers
FROM organizations WHERE org_id = $1;

-- name: billed_subscriptions
-- Subscriptions with what their customers pay in, their credit, and whether they can be charged.
-- Customers and credit are looked up by key, however many there are.
SELECT
    s.*, c.currency AS customer_currency, c.deleted_at IS NULL AND c.method_reference IS NOT NULL
    AND c.provider_reference IS NOT NULL AS can_be_charged,
    coalesce((
        SELECT a.balance_minor FROM ledger_accounts AS a
        WHERE a.org_id = $1 AND a.code = 'credit:cust_' || c.id AND a.currency = c.currency
    ), 0) AS credit_minor
FROM subscriptions AS s
JOIN customers AS c ON c.org_id = s.org_id AND c.id = s.customer_id
WHERE
    s.org_id = $1 AND s.id = ANY($2::uuid[])
    AND c.id = ANY(
        ARRAY(
            SELECT o.customer_id FROM subscriptions AS o
            WHERE o.org_id = $1 AND o.id = ANY($2::uuid[])
        )
    );

-- name: payer
-- What a customer pays in, their credit, and whether they can be charged.
SELECT
    c.currency AS customer_currency, coalesce(a.balance_minor, 0) AS credit_minor,
    c.deleted_at IS NULL AND c.method_reference IS NOT NULL AND c.provider_reference IS NOT NULL
    AS can_be_charged
FROM customers AS c
LEFT JOIN ledger_accounts AS a
    ON a.org_id = $1 AND a.code = 'credit:cust_' || $2::uuid AND a.currency = c.currency
WHERE c.org_id = $1 AND c.id = $2;

-- name: agreed_terms
-- What subscriptions agreed to, from when on.
SELECT subscription_id, since_at, plan_id, plan_version FROM subscription_terms
WHERE org_id = $1 AND subscription_id = ANY($2::uuid[])
ORDER BY subscription_id, since_at;

-- name: plans_of_versions
-- Plans, each as often as there are versions of it to know.
SELECT p.*, v.number FROM unnest($2::uuid[], $3::integer[]) AS v (plan_id, number)
JOIN plans AS p ON p.id = v.plan_id
WHERE p.org_id = $1;

-- name: prices_of_versions
-- The prices of plans in some versions, in their order.
SELECT p.* FROM unnest($2::uuid[], $3::integer[]) AS v (plan_id, number)
JOIN prices AS p ON p.plan_id = v.plan_id AND p.plan_version = v.number
WHERE p.org_id = $1
ORDER BY p.plan_id, p.plan_version, p.position;

-- name: meters_by_id
-- Meters.
SELECT * FROM meters WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: coupons_by_id
-- Coupons.
SELECT * FROM coupons WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: waiting_lines
-- The lines of subscriptions that no invoice took up yet, in the order they came.
SELECT * FROM pending_lines
WHERE org_id = $1 AND subscription_id = ANY($2::uuid[]) AND invoice_id IS NULL
ORDER BY subscription_id, due_at, id;

-- name: covered_until
-- Up to when charges are covered: the end of the last period of each.
SELECT c.subscription_id, c.meter_id, last.end_at
FROM unnest($2::uuid[], $3::uuid[]) AS c (subscription_id, meter_id)
CROSS JOIN LATERAL (
    SELECT b.end_at FROM billed_periods AS b
    WHERE
        b.org_id = $1 AND b.subscription_id = c.subscription_id AND b.meter_id = c.meter_id
        AND b.release_id = '00000000-0000-0000-0000-000000000000'
    ORDER BY b.end_at DESC LIMIT 1
) AS last;

-- name: released_fees
-- Periods of fees, from some instants on, whose invoice was voided and which no other invoice covers.
SELECT b.subscription_id, b.start_at
FROM unnest($2::uuid[], $3::timestamptz[]) AS c (subscription_id, start_at)
JOIN billed_periods AS b ON b.subscription_id = c.subscription_id AND b.start_at = c.start_at
WHERE b.org_id = $1 AND b.meter_id = '00000000-0000-0000-0000-000000000000'
GROUP BY b.subscription_id, b.start_at
HAVING bool_and(b.release_id <> '00000000-0000-0000-0000-000000000000');
