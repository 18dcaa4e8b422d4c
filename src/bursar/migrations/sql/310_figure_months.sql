-- Figures by month: what a report over years reads instead of every day of them.

-- What days add up to, month by month; moved on by the statement that moves the days.
CREATE TABLE figure_months (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    currency char(3) NOT NULL,
    measure text NOT NULL,
    month date NOT NULL CHECK (extract(DAY FROM month) = 1),
    amount_minor bigint NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (org_id, currency, measure, month)
) WITH (fillfactor = 70);

INSERT INTO figure_months (org_id, currency, measure, month, amount_minor, count)
SELECT
    d.org_id, d.currency, d.measure, date_trunc('month', d.day::timestamp)::date,
    sum(d.amount_minor), sum(d.count)
FROM figure_days AS d
GROUP BY d.org_id, d.currency, d.measure, date_trunc('month', d.day::timestamp)::date;

CALL sec.isolate('figure_months');
GRANT SELECT, INSERT, UPDATE ON figure_months TO bursar_app;
GRANT SELECT ON figure_months TO bursar_backup;
