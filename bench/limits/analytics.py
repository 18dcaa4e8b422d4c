"""The same dashboard worked out from the documents, in as few scans as there are questions."""

SCANS = (
    """
    SELECT date_trunc('month', i.finalized_at) AS month, sum(i.total_minor - i.tax_minor),
        sum(i.total_minor), count(*)
    FROM invoices AS i
    WHERE i.org_id = $1 AND i.currency = 'usd' AND i.number IS NOT NULL
    GROUP BY 1 ORDER BY 1
    """,
    """
    SELECT date_trunc('month', m.occurred_at) AS month, sum(m.amount_minor)
    FROM mrr_movements AS m WHERE m.org_id = $1 AND m.currency = 'usd' GROUP BY 1 ORDER BY 1
    """,
)
