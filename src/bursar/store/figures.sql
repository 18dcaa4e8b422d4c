-- name: note
-- Figures of one transaction, on the civil days of the organization.
INSERT INTO figures (org_id, measure, currency, day, amount_minor, count)
SELECT
    o.org_id, f.measure, f.currency, (f.at AT TIME ZONE o.timezone)::date, f.amount_minor, f.count
FROM organizations AS o
CROSS JOIN unnest($2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[])
AS f (measure, currency, at, amount_minor, count)
WHERE o.org_id = $1;

-- name: fold
-- Moves figures into the sums of their days and months: what a reader sees is in one place of each.
WITH taken AS (
    DELETE FROM figures WHERE org_id = $1 AND id IN (
        SELECT f.id FROM figures AS f
        WHERE f.org_id = $1 ORDER BY f.id LIMIT $2 FOR UPDATE SKIP LOCKED
    )
    RETURNING measure, currency, day, amount_minor, count
), months AS (
    INSERT INTO figure_months AS m (org_id, currency, measure, month, amount_minor, count)
    SELECT
        $1, t.currency, t.measure, date_trunc('month', t.day::timestamp)::date, sum(t.amount_minor),
        sum(t.count)
    FROM taken AS t GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
    ON CONFLICT (org_id, currency, measure, month) DO UPDATE SET
        amount_minor = m.amount_minor + excluded.amount_minor, count = m.count + excluded.count
)
INSERT INTO figure_days AS d (org_id, currency, measure, day, amount_minor, count)
SELECT $1, t.currency, t.measure, t.day, sum(t.amount_minor), sum(t.count)
FROM taken AS t GROUP BY t.currency, t.measure, t.day ORDER BY t.currency, t.measure, t.day
ON CONFLICT (org_id, currency, measure, day) DO UPDATE SET
    amount_minor = d.amount_minor + excluded.amount_minor, count = d.count + excluded.count;
