-- name: differences
-- Everything in which our books differ from what the processors moved, the newest first.
WITH until AS (
    SELECT m.provider, max(m.occurred_at) AS at FROM provider_moves AS m
    WHERE m.org_id = $1 GROUP BY m.provider
), taken AS (
    SELECT
        m.payment_id, count(*) AS charges, sum(m.amount_minor) AS amount, min(m.reference) AS reference,
        max(m.occurred_at) AS at
    FROM provider_moves AS m WHERE m.org_id = $1 AND m.kind = 'charge' GROUP BY m.payment_id
), charged AS (
    SELECT
        CASE
            WHEN t.charges > 1 THEN 'payment_charged_twice'
            WHEN p.status IN ('pending', 'requires_action', 'processing', 'failed')
                THEN 'payment_not_settled'
            WHEN t.amount IS NULL THEN 'payment_unknown_there'
            ELSE 'payment_amount_differs'
        END AS kind, 'pay_' || p.id AS resource_id, p.provider,
        coalesce(t.reference, p.provider_reference) AS reference, p.currency, p.amount_minor AS ours,
        t.amount AS theirs, coalesce(t.at, p.settled_at) AS occurred_at
    FROM payments AS p
    LEFT JOIN taken AS t ON t.payment_id = p.id
    LEFT JOIN until AS u ON u.provider = p.provider
    WHERE p.org_id = $1 AND p.mode IN ('checkout', 'charge') AND CASE
        WHEN p.status IN ('pending', 'requires_action', 'processing', 'failed') THEN t.amount IS NOT NULL
        WHEN t.amount IS NULL THEN p.updated_at < u.at - $2::interval
        ELSE t.charges > 1 OR t.amount <> p.amount_minor
    END
), returned AS (
    SELECT m.*, coalesce(m.refund_id, a.id) AS ours FROM provider_moves AS m
    LEFT JOIN refunds AS a
        ON a.org_id = m.org_id AND a.provider = m.provider AND a.provider_reference = m.source
    WHERE m.org_id = $1 AND m.kind IN ('refund', 'refund_failure')
), given AS (
    SELECT m.ours, sum(m.amount_minor) AS amount, min(m.reference) AS reference
    FROM returned AS m WHERE m.ours IS NOT NULL GROUP BY m.ours
), refunded AS (
    SELECT
        CASE WHEN g.amount IS NULL THEN 'refund_unknown_there' ELSE 'refund_not_settled' END AS kind,
        'rfd_' || r.id AS resource_id, r.provider, coalesce(g.reference, r.provider_reference) AS reference,
        r.currency, r.amount_minor AS ours, -g.amount AS theirs, r.updated_at AS occurred_at
    FROM refunds AS r
    JOIN payments AS p ON p.org_id = r.org_id AND p.id = r.payment_id
    LEFT JOIN given AS g ON g.ours = r.id
    LEFT JOIN until AS u ON u.provider = r.provider
    WHERE r.org_id = $1 AND p.mode IN ('checkout', 'charge') AND CASE
        WHEN r.status IN ('pending', 'failed') THEN coalesce(g.amount, 0) <> 0
        WHEN g.amount IS NULL THEN r.updated_at < u.at - $2::interval
        ELSE -g.amount <> r.amount_minor
    END
), elsewhere AS (
    SELECT
        'refund_unknown_here' AS kind, 'pay_' || m.payment_id AS resource_id, m.provider,
        m.source AS reference, m.currency, 0 AS ours, -sum(m.amount_minor) AS theirs,
        max(m.occurred_at) AS occurred_at
    FROM returned AS m WHERE m.ours IS NULL
    GROUP BY m.payment_id, m.provider, m.source, m.currency HAVING sum(m.amount_minor) <> 0
), disputed AS (
    SELECT
        'dispute_differs' AS kind, 'pay_' || m.payment_id AS resource_id, m.provider, m.source AS reference,
        m.currency, coalesce(d.withdrawn_minor, 0) AS ours, -sum(m.amount_minor) AS theirs,
        max(m.occurred_at) AS occurred_at
    FROM provider_moves AS m
    LEFT JOIN disputes AS d
        ON d.org_id = m.org_id AND d.provider = m.provider AND d.provider_reference = m.source
    WHERE m.org_id = $1 AND m.kind = 'dispute'
    GROUP BY m.payment_id, m.provider, m.source, m.currency, d.withdrawn_minor
    HAVING -sum(m.amount_minor) <> coalesce(d.withdrawn_minor, 0)
), missing AS (
    SELECT
        'customer_unknown_there' AS kind, 'cust_' || c.id AS resource_id, NULL AS provider,
        NULL AS reference, NULL AS currency, NULL::bigint AS ours, NULL::bigint AS theirs,
        c.created_at AS occurred_at
    FROM customers AS c
    WHERE
        c.org_id = $1 AND c.provider_reference IS NULL AND c.deleted_at IS NULL
        AND c.updated_at < now() - $2::interval
)
SELECT * FROM charged UNION ALL SELECT * FROM refunded UNION ALL SELECT * FROM elsewhere
UNION ALL SELECT * FROM disputed UNION ALL SELECT * FROM missing
ORDER BY occurred_at DESC, resource_id ASC LIMIT $3;

-- name: payout_differences
-- Payouts that our books and the processors' lists do not agree on, the newest first.
WITH sent AS (
    SELECT
        t.provider, t.payout_reference, min(m.currency) AS currency,
        sum(m.amount_minor - m.fee_minor) AS amount,
        coalesce(sum(m.fee_minor) FILTER (WHERE m.kind <> 'dispute'), 0) AS fee, max(m.occurred_at) AS at
    FROM payout_moves AS t
    JOIN provider_moves AS m
        ON m.org_id = t.org_id AND m.provider = t.provider AND m.reference = t.reference
    WHERE t.org_id = $1 GROUP BY t.provider, t.payout_reference
)
SELECT
    CASE
        WHEN o.id IS NULL THEN 'payout_unknown_here'
        WHEN s.provider IS NULL THEN 'payout_unknown_there'
        ELSE 'payout_differs'
    END AS kind, coalesce('po_' || o.id, s.payout_reference) AS resource_id,
    coalesce(o.provider, s.provider) AS provider,
    coalesce(o.provider_reference, s.payout_reference) AS reference,
    coalesce(o.currency, s.currency) AS currency, o.amount_minor AS ours, s.amount AS theirs,
    coalesce(o.sent_at, s.at) AS occurred_at
FROM (SELECT * FROM payouts AS p WHERE p.org_id = $1) AS o
FULL JOIN sent AS s ON s.provider = o.provider AND s.payout_reference = o.provider_reference
WHERE o.id IS NULL OR s.provider IS NULL OR s.amount <> o.amount_minor OR s.fee <> o.fee_minor
ORDER BY occurred_at DESC, resource_id ASC LIMIT $2;
