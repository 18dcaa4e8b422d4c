-- name: invoices_at_once
-- Enters, and only then reads these invoices with their lines, a row for each that was asked for:
-- CASE is what keeps that order. Every row that is read has its part in the mark, so whoever knows
-- the mark ($7) knows what was read, and is told no more. What is asked stands in SELECTs of its own,
-- where no planner sees how many it is: it would plan anew each time, which takes longer than to read.
SELECT
    seen.*,
    CASE WHEN seen.is_credential_good AND NOT coalesce(seen.mark = seen.known, false) THEN (
        SELECT i FROM invoices AS i WHERE i.org_id = (SELECT $5::uuid) AND i.id = seen.id
    ) END AS invoice,
    CASE WHEN seen.is_credential_good AND NOT coalesce(seen.mark = seen.known, false) THEN ARRAY(
        SELECT l FROM invoice_lines AS l
        WHERE l.org_id = (SELECT $5::uuid) AND l.invoice_id = seen.id ORDER BY l.position
    ) END AS lines
FROM (
    SELECT
        entered.*,
        asked.id,
        asked.known,
        asked.place,
        CASE WHEN entered.is_credential_good THEN (
            SELECT concat_ws(' ', m.version, m.updated_at, m.xmin, (
                SELECT string_agg(n.xmin::text, ' ' ORDER BY n.position)
                FROM invoice_lines AS n
                WHERE n.org_id = (SELECT $5::uuid) AND n.invoice_id = asked.id
            ))
            FROM invoices AS m WHERE m.org_id = (SELECT $5::uuid) AND m.id = asked.id
        ) END AS mark
    FROM sec.glance($1, $2, $3, $4) AS entered
    CROSS JOIN
        unnest((SELECT $6::uuid[]), (SELECT $7::text[])) WITH ORDINALITY AS asked (id, known, place)
    OFFSET 0
) AS seen
ORDER BY seen.place;

-- name: invoice
-- One invoice of the bound organization.
SELECT * FROM invoices WHERE org_id = $1 AND id = $2;

-- name: invoices_by_ids
-- Those of these invoices that are of the bound organization.
SELECT * FROM invoices WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: lines
-- The lines of some invoices, in their order.
SELECT * FROM invoice_lines WHERE org_id = $1 AND invoice_id = ANY($2::uuid[])
ORDER BY invoice_id, position;

-- name: sought_series
-- The series in which a text lies ($2), and those that end as a part of it does ($3); there are few.
SELECT
    coalesce(
        array_agg(series) FILTER (WHERE position(lower($2) IN lower(series) || '-') > 0), '{}'
    ) AS holding,
    coalesce(
        array_agg(series) FILTER (WHERE right(lower(series) || '-', length($3)) = lower($3)), '{}'
    ) AS ending
FROM invoice_series WHERE org_id = $1;

-- name: invoices
-- A window on the invoices, newest first; each filter may be absent. What is sought in a printed
-- number lies in its series ($10), or its digits ($12) do in the number, behind one of $11.
SELECT * FROM invoices
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR customer_id = $5)
    AND ($6::text[] IS NULL OR status = ANY($6))
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at < $8)
    AND ($9::uuid IS NULL OR subscription_id = $9)
    AND (
        $10::text[] IS NULL OR series IN (SELECT unnest($10))
        OR (
            series IN (SELECT unnest($11::text[]))
            AND CASE WHEN number < 10000 THEN lpad(number::text, 5, '0') ELSE number::text END LIKE $12
        )
    )
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_invoices
-- How many invoices the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM invoices
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::text[] IS NULL OR status = ANY($4))
        AND ($5::timestamptz IS NULL OR created_at >= $5)
        AND ($6::timestamptz IS NULL OR created_at < $6)
        AND ($7::uuid IS NULL OR subscription_id = $7)
        AND (
            $8::text[] IS NULL OR series IN (SELECT unnest($8))
            OR (
                series IN (SELECT unnest($9::text[]))
                AND CASE WHEN number < 10000 THEN lpad(number::text, 5, '0') ELSE number::text END LIKE $10
            )
        )
    LIMIT $2
) AS counted;

-- name: seller
-- The bound organization, as the document names it.
SELECT * FROM organizations WHERE org_id = $1;

-- name: buyer
-- The customer of an invoice, also when deleted since.
SELECT c.* FROM invoices AS i
JOIN customers AS c ON c.org_id = i.org_id AND c.id = i.customer_id
WHERE i.org_id = $1 AND i.id = $2;

-- name: looks
-- How the bound organization's documents look, if it has said so.
SELECT * FROM document_settings WHERE org_id = $1 AND id = $1;

-- name: as_issued
-- What stood on an invoice when it was issued, wherever something else holds by now.
SELECT w.kind, f.said, f.logo
FROM invoices AS i
CROSS JOIN LATERAL (
    VALUES
    ('buyer', i.customer_id, i.buyer_version),
    ('seller', i.org_id, i.seller_version),
    ('settings', i.org_id, i.settings_version)
) AS w (kind, subject_id, version)
CROSS JOIN LATERAL (
    SELECT p.said, p.logo FROM former_parties AS p
    WHERE
        p.org_id = $1 AND p.kind = w.kind AND p.subject_id = w.subject_id
        AND p.until_version >= w.version
    ORDER BY p.until_version LIMIT 1
) AS f
WHERE i.org_id = $1 AND i.id = $2;

-- name: offered_rates
-- The tax rates in a state, or in any: the newest five hundred.
SELECT * FROM tax_rates
WHERE org_id = $1 AND ($2::text IS NULL OR status = $2)
ORDER BY id DESC LIMIT 500;

-- name: timeline
-- What happened to an invoice and to the attempts at paying it, oldest first, public facts only.
SELECT e.* FROM events AS e
WHERE
    e.org_id = $1 AND e.is_public
    AND (
        e.resource_id = $2
        OR e.resource_id IN (SELECT p.id FROM payments AS p WHERE p.org_id = $1 AND p.invoice_id = $2)
    )
ORDER BY e.transaction_id, e.id LIMIT $3;

-- name: attempts
-- The attempts at paying an invoice, newest first.
SELECT p.* FROM payments AS p
WHERE p.org_id = $1 AND p.invoice_id = $2
ORDER BY p.id DESC LIMIT $3;
