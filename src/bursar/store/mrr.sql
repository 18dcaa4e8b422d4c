-- name: worths
-- What these subscriptions are worth by their last movement; none for one that never was.
SELECT wanted.id AS subscription_id, last.mrr_minor
FROM unnest($2::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT m.mrr_minor FROM mrr_movements AS m
    WHERE m.org_id = $1 AND m.subscription_id = wanted.id ORDER BY m.version DESC LIMIT 1
) AS last;

-- name: add_movements
-- Movements of several subscriptions at one instant.
INSERT INTO mrr_movements (
    org_id, occurred_at, subscription_id, version, customer_id, kind, currency, amount_minor,
    mrr_minor
)
SELECT
    $1, $2, m.subscription_id, m.version, m.customer_id, m.kind, m.currency, m.amount_minor,
    m.mrr_minor
FROM unnest(
    $3::uuid[], $4::integer[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::bigint[]
) AS m (subscription_id, version, customer_id, kind, currency, amount_minor, mrr_minor);

-- name: move_subscribers
-- What customers are worth now, and by how much that is more than before.
INSERT INTO subscribers AS s (org_id, customer_id, currency, mrr_minor)
SELECT $1, m.customer_id, m.currency, sum(m.amount_minor)
FROM unnest($2::uuid[], $3::text[], $4::bigint[]) AS m (customer_id, currency, amount_minor)
GROUP BY m.customer_id, m.currency ORDER BY m.customer_id, m.currency
ON CONFLICT (org_id, customer_id, currency)
DO UPDATE SET mrr_minor = s.mrr_minor + excluded.mrr_minor
RETURNING customer_id, currency, mrr_minor;
