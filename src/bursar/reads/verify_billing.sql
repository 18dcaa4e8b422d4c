-- name: periods_are_chained
-- The periods of each charge follow each other, the first from where the charge began.
WITH live AS (
    SELECT
        b.subscription_id, b.meter_id, b.start_at, b.follows_id,
        lag(b.end_at) OVER (PARTITION BY b.subscription_id, b.meter_id ORDER BY b.start_at) AS ended_at
    FROM billed_periods AS b
    WHERE b.org_id = $1 AND b.release_id = '00000000-0000-0000-0000-000000000000'
), checked AS (
    SELECT
        'sub_' || l.subscription_id || ' at ' || l.start_at AS name,
        CASE
            WHEN l.ended_at = l.start_at THEN true
            WHEN l.ended_at > l.start_at THEN false
            WHEN l.follows_id IS NULL THEN l.ended_at IS NULL
            ELSE EXISTS (
                SELECT FROM billed_periods AS r
                WHERE
                    r.org_id = $1 AND r.subscription_id = l.subscription_id AND r.meter_id = l.meter_id
                    AND r.end_at = l.start_at AND r.release_id = l.follows_id
            )
        END AS is_good
    FROM live AS l
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: periods_are_covered
-- What does not wait to be billed is covered, from its start to the end of its current period.
WITH checked AS (
    SELECT
        'sub_' || s.id AS name,
        a.due_at <= $2 OR (
            min(b.start_at) = s.started_at AND max(b.end_at) >= s.period_end_at AND a.due_at IS NOT NULL
        ) OR EXISTS (
            SELECT FROM pending_lines AS w
            WHERE w.org_id = s.org_id AND w.subscription_id = s.id AND w.invoice_id IS NULL
        ) AS is_good
    FROM subscriptions AS s
    JOIN prices AS p
        ON p.org_id = s.org_id AND p.plan_id = s.plan_id AND p.plan_version = s.plan_version
        AND p.position = 1
    LEFT JOIN agenda AS a
        ON a.org_id = s.org_id AND a.kind = 'bill_subscription' AND a.subject_id = s.id
    LEFT JOIN billed_periods AS b
        ON b.org_id = s.org_id AND b.subscription_id = s.id
        AND b.meter_id = '00000000-0000-0000-0000-000000000000'
        AND b.release_id = '00000000-0000-0000-0000-000000000000'
    WHERE
        s.org_id = $1 AND p.meter_id IS NULL AND s.started_at <= $2 AND s.status <> 'canceled'
    GROUP BY s.org_id, s.id, a.due_at
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: periods_match_lines
-- A billed period is worth what the lines of it come to, late ones included; none is on a void invoice.
WITH lines AS (
    SELECT
        l.subscription_id, l.period_start_at, l.period_end_at,
        coalesce(substr(l.derivation ->> 'meterId', 5), '00000000-0000-0000-0000-000000000000')::uuid
        AS meter_id,
        sum(l.amount_minor) AS amount_minor
    FROM invoice_lines AS l
    JOIN invoices AS i ON i.org_id = l.org_id AND i.id = l.invoice_id
    WHERE
        l.org_id = $1 AND i.status <> 'void'
        AND (l.type IN ('subscription', 'usage') OR l.derivation ? 'billedCents')
    GROUP BY l.subscription_id, l.period_start_at, l.period_end_at, 4
), checked AS (
    SELECT
        'sub_' || b.subscription_id || ' at ' || b.start_at AS name,
        -- A draft may be edited, and a fee that another took over from keeps its line as it was.
        coalesce(i.status, '') <> 'void' AND coalesce(b.amount_minor = l.amount_minor, true) AS is_good
    FROM billed_periods AS b
    LEFT JOIN invoices AS i ON i.org_id = b.org_id AND i.id = b.invoice_id
    LEFT JOIN lines AS l
        ON l.subscription_id = b.subscription_id AND l.meter_id = b.meter_id
        AND l.period_start_at = b.start_at AND l.period_end_at = b.end_at
    WHERE
        b.org_id = $1 AND b.kind IN ('fee', 'usage')
        AND b.release_id = '00000000-0000-0000-0000-000000000000'
)
SELECT
    count(*) AS counted,
    coalesce((array_agg(c.name ORDER BY c.name) FILTER (WHERE c.is_good IS NOT TRUE))[1:100], '{}')
    AS offenders
FROM checked AS c;

-- name: derived_lines
-- Every line that says how its amount came about.
SELECT
    'il_' || l.id AS name, l.amount_minor, i.currency, l.period_start_at, l.period_end_at, l.derivation
FROM invoice_lines AS l
JOIN invoices AS i ON i.org_id = l.org_id AND i.id = l.invoice_id
WHERE l.org_id = $1 AND l.derivation IS NOT NULL AND l.period_start_at IS NOT NULL
ORDER BY l.invoice_id, l.position;
