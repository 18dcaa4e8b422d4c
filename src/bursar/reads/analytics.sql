-- name: figures
-- Sums by piece of a span, and of the time before it: whole months, the days beside them, and what was
-- appended since.
SELECT
    CASE WHEN f.day >= $4 THEN date_trunc($6, f.day::timestamp)::date END AS start_on,
    f.measure, sum(f.amount_minor)::bigint AS minor, sum(f.count)::bigint AS count
FROM (
    SELECT m.measure, m.month AS day, m.amount_minor, m.count FROM figure_months AS m
    WHERE
        m.org_id = $1 AND m.currency = $2 AND m.measure = ANY($3::text[])
        AND (m.month < $7 OR (m.month >= $8 AND m.month < $9))
    UNION ALL
    SELECT b.measure, b.day, b.amount_minor, b.count FROM figure_days AS b
    WHERE
        b.org_id = $1 AND b.currency = $2 AND b.measure = ANY($3::text[])
        AND b.day >= $7 AND b.day < $8
    UNION ALL
    SELECT d.measure, d.day, d.amount_minor, d.count FROM figure_days AS d
    WHERE
        d.org_id = $1 AND d.currency = $2 AND d.measure = ANY($3::text[])
        AND d.day >= $9 AND d.day < $5
    UNION ALL
    SELECT a.measure, a.day, a.amount_minor, a.count FROM figures AS a
    WHERE a.org_id = $1 AND a.currency = $2 AND a.measure = ANY($3::text[]) AND a.day < $5
) AS f
GROUP BY 1, 2;

-- name: ageing
-- What is open of a currency, by how long it has been due at an instant; read off an index.
SELECT
    CASE
        WHEN i.due_at IS NULL OR i.due_at > $3 THEN 0
        ELSE least(1 + extract(EPOCH FROM $3 - i.due_at)::bigint / 2592000, 4)
    END::integer AS age,
    sum(i.total_minor - i.paid_minor - i.credited_minor)::bigint AS minor, count(*) AS count
FROM invoices AS i
WHERE i.org_id = $1 AND i.currency = $2 AND i.status = 'open'
GROUP BY 1;

-- name: settings
-- What an organization's days and amounts are in.
SELECT timezone, currency FROM organizations WHERE org_id = $1;
