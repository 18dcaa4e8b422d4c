-- name: processors_match_payments
-- What the ledger says a provider holds is what its payments brought, less what went back or was paid out.
WITH moves AS (
    SELECT p.provider, p.currency, p.amount_minor AS amount FROM payments AS p
    WHERE
        p.org_id = $1 AND p.mode IN ('checkout', 'charge')
        AND p.status IN ('succeeded', 'partially_refunded', 'refunded', 'disputed')
    UNION ALL
    SELECT r.provider, r.currency, -r.amount_minor FROM refunds AS r
    JOIN payments AS p ON p.org_id = r.org_id AND p.id = r.payment_id
    WHERE
        r.org_id = $1 AND p.mode IN ('checkout', 'charge') AND (
            r.status IN ('processing', 'succeeded')
            -- Credit and stored money are taken when their refund begins.
            OR (r.status = 'pending' AND (r.credit_minor > 0 OR p.purpose = 'wallet_deposit'))
        )
    UNION ALL
    SELECT d.provider, d.currency, -d.withdrawn_minor - d.fee_minor FROM disputes AS d WHERE d.org_id = $1
    UNION ALL
    SELECT o.provider, o.currency, -o.amount_minor - o.fee_minor FROM payouts AS o
    WHERE o.org_id = $1 AND o.status NOT IN ('failed', 'canceled')
), brought AS (
    SELECT 'processor:' || m.provider AS code, m.currency, sum(m.amount) AS brought
    FROM moves AS m GROUP BY m.provider, m.currency
), booked AS (
    SELECT a.code, a.currency, coalesce(sum(e.amount_minor), 0) AS held
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code LIKE 'processor:%' GROUP BY a.org_id, a.id
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

-- name: payments_match_refunds
-- What a payment says was given back, or is reserved for it, is what its refunds say.
WITH given AS (
    SELECT
        r.payment_id,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.status IN ('processing', 'succeeded')), 0) AS sent,
        coalesce(sum(r.amount_minor) FILTER (WHERE r.status = 'pending'), 0) AS reserved
    FROM refunds AS r WHERE r.org_id = $1 GROUP BY r.payment_id
), checked AS (
    SELECT
        'pay_' || p.id AS name,
        p.refunded_minor = coalesce(g.sent, 0) AND p.refunding_minor = coalesce(g.reserved, 0)
        AND CASE p.status
            WHEN 'partially_refunded' THEN p.refunded_minor BETWEEN 1 AND p.amount_minor - 1
            WHEN 'refunded' THEN p.refunded_minor = p.amount_minor
            WHEN 'disputed' THEN true
            ELSE p.refunded_minor = 0
        END AS is_good
    FROM payments AS p LEFT JOIN given AS g ON g.payment_id = p.id
    WHERE p.org_id = $1
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: refunds_are_booked
-- Every refund that was sent is booked once with its amount, and one that came back is reversed.
WITH moved AS (
    SELECT
        t.source_id,
        sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0 AND t.kind <> 'refund_failed') AS amount,
        sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0 AND t.kind = 'refund_failed') AS reversed
    FROM ledger_transactions AS t
    JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
    WHERE t.org_id = $1 AND t.kind IN (
        'payment_refunded', 'deposit_refunded', 'stored_payment_refunded', 'refund_failed'
    ) GROUP BY t.source_id
), checked AS (
    SELECT
        coalesce('rfd_' || r.id, m.source_id) AS name,
        CASE r.status
            WHEN 'failed' THEN coalesce(m.amount, 0) = coalesce(m.reversed, 0)
            WHEN 'pending' THEN m.reversed IS NULL AND coalesce(m.amount, r.amount_minor) = r.amount_minor
            ELSE m.reversed IS NULL AND m.amount = r.amount_minor
        END AS is_good
    FROM (SELECT * FROM refunds AS k WHERE k.org_id = $1) AS r
    FULL JOIN moved AS m ON m.source_id = 'rfd_' || r.id
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: disputed_is_withdrawn
-- What the ledger says is under dispute is what banks have of disputes that are not lost.
WITH held AS (
    SELECT d.currency, sum(d.withdrawn_minor) AS amount FROM disputes AS d
    WHERE d.org_id = $1 AND d.status <> 'lost' GROUP BY d.currency
), booked AS (
    SELECT a.currency, coalesce(sum(e.amount_minor), 0) AS amount
    FROM ledger_accounts AS a
    LEFT JOIN ledger_entries AS e ON e.org_id = a.org_id AND e.account_id = a.id
    WHERE a.org_id = $1 AND a.code = 'disputed' GROUP BY a.org_id, a.id
), checked AS (
    SELECT
        'disputed ' || coalesce(h.currency, b.currency) AS name,
        coalesce(h.amount, 0) = coalesce(b.amount, 0) AS is_good
    FROM held AS h FULL JOIN booked AS b ON b.currency = h.currency
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;
