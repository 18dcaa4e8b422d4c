-- name: books
-- By currency: what all wallets have, and how far the accounts together are from zero.
SELECT
    a.currency,
    coalesce(sum(a.balance_minor) FILTER (WHERE w.id IS NOT NULL), 0)::bigint AS wallets_minor,
    sum(
        CASE
            WHEN a.balance_minor IS NULL THEN coalesce(f.sum_minor, 0) + coalesce(since.sum_minor, 0)
            WHEN a.kind IN ('asset', 'expense', 'contra_revenue') THEN a.balance_minor
            ELSE -a.balance_minor
        END
    )::bigint AS imbalance_minor
FROM ledger_accounts AS a
LEFT JOIN wallets AS w ON w.org_id = a.org_id AND w.account_id = a.id
LEFT JOIN ledger_folds AS f ON f.org_id = a.org_id AND f.account_id = a.id
LEFT JOIN LATERAL (
    SELECT sum(e.amount_minor) AS sum_minor FROM ledger_entries AS e
    WHERE
        e.org_id = a.org_id AND e.account_id = a.id
        AND e.transaction_id >= coalesce(f.folded_before, '00000000-0000-0000-0000-000000000000')
) AS since ON a.balance_minor IS NULL
WHERE a.org_id = $1
GROUP BY a.currency;

-- name: waiting
-- By kind and currency: money begun with a stranger or between wallets that no settling has reached yet.
SELECT 'payment' AS kind, p.currency, sum(p.amount_minor)::bigint AS amount_minor
FROM payments AS p
WHERE
    p.org_id = $1 AND p.status IN ('pending', 'requires_action', 'processing')
    AND p.status <> 'requires_action'
GROUP BY p.currency
UNION ALL
SELECT 'refund', r.currency, sum(r.amount_minor)::bigint
FROM agenda AS d
INNER JOIN refunds AS r ON r.org_id = d.org_id AND r.id = d.subject_id
WHERE d.org_id = $1 AND d.kind = 'watch_refund' AND r.status IN ('pending', 'processing')
GROUP BY r.currency
UNION ALL
SELECT 'transfer', t.currency, sum(t.amount_minor)::bigint
FROM transfers AS t
WHERE t.org_id = $1 AND t.status = 'DEBITED'
GROUP BY t.currency;
