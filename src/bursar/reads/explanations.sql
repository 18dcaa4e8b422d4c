-- name: usage_behind
-- The usage that lines of an invoice charge for: its first events, of those that were known.
SELECT l.id, coalesce(s.event_ids, '{}') AS event_ids
FROM invoice_lines AS l
CROSS JOIN LATERAL (
    -- It is told to the millisecond, so what was recorded within that one is known.
    SELECT (l.derivation ->> 'knownAt')::timestamptz + interval '1 millisecond' AS known_at
) AS w
CROSS JOIN LATERAL (
    SELECT array_agg(f.id ORDER BY f.occurred_at, f.id) AS event_ids FROM (
        SELECT e.id, e.occurred_at FROM usage_events AS e
        WHERE
            e.org_id = $1 AND e.subscription_id = l.subscription_id
            AND e.meter_id = substr(l.derivation ->> 'meterId', 5)::uuid
            AND e.occurred_at >= l.period_start_at AND e.occurred_at < l.period_end_at
            AND (w.known_at IS NULL OR e.recorded_at <= w.known_at)
        ORDER BY e.occurred_at, e.id LIMIT $3
    ) AS f
) AS s
WHERE l.org_id = $1 AND l.invoice_id = $2 AND l.type = 'usage' AND l.derivation ? 'meterId';
