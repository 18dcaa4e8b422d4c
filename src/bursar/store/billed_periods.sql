-- name: end_periods
-- Periods of fees that others take over from an instant on end there.
UPDATE billed_periods AS b SET end_at = c.start_at
FROM unnest($2::uuid[], $3::timestamptz[]) AS c (subscription_id, start_at)
WHERE
    b.org_id = $1 AND b.subscription_id = c.subscription_id
    AND b.meter_id = '00000000-0000-0000-0000-000000000000'
    AND b.release_id = '00000000-0000-0000-0000-000000000000'
    AND b.start_at < c.start_at AND b.end_at > c.start_at;

-- name: replace_periods
-- Periods of fees that begin where others take over make room for them.
UPDATE billed_periods AS b SET release_id = coalesce(b.invoice_id, b.subscription_id)
FROM unnest($2::uuid[], $3::timestamptz[]) AS c (subscription_id, start_at)
WHERE
    b.org_id = $1 AND b.subscription_id = c.subscription_id
    AND b.meter_id = '00000000-0000-0000-0000-000000000000'
    AND b.release_id = '00000000-0000-0000-0000-000000000000'
    AND b.start_at >= c.start_at;

-- name: add_periods
-- Covered periods, each of which begins where another one of its charge ends; none begins twice.
INSERT INTO billed_periods (
    org_id, subscription_id, meter_id, start_at, end_at, follows_id, kind, price_id, quantity,
    amount_minor, invoice_id
)
SELECT
    $1, p.subscription_id, p.meter_id, p.start_at, p.end_at,
    CASE WHEN NOT p.is_first THEN '00000000-0000-0000-0000-000000000000'::uuid END, p.kind, p.price_id,
    p.quantity, p.amount_minor, p.invoice_id
FROM unnest(
    $2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::boolean[], $7::text[], $8::uuid[],
    $9::bigint[], $10::bigint[], $11::uuid[]
) AS p (
    subscription_id, meter_id, start_at, end_at, is_first, kind, price_id, quantity, amount_minor,
    invoice_id
);

-- name: correct_periods
-- Periods that are worth something else since they were billed: the difference is on an invoice now.
UPDATE billed_periods AS b
SET quantity = p.quantity, amount_minor = p.amount_minor, known_at = now()
FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[])
AS p (subscription_id, meter_id, start_at, quantity, amount_minor)
WHERE
    b.org_id = $1 AND b.subscription_id = p.subscription_id AND b.meter_id = p.meter_id
    AND b.start_at = p.start_at AND b.release_id = '00000000-0000-0000-0000-000000000000';

-- name: take_lines
-- Lines that waited are on invoices now.
UPDATE pending_lines AS l SET invoice_id = t.invoice_id
FROM unnest($2::uuid[], $3::uuid[]) AS t (id, invoice_id)
WHERE l.org_id = $1 AND l.id = t.id AND l.invoice_id IS NULL;

-- name: drop_lines
-- Lines over nothing that no invoice is made for.
DELETE FROM pending_lines WHERE org_id = $1 AND id = ANY($2::uuid[]) AND invoice_id IS NULL;

-- name: add_taken_lines
-- Lines that never waited: the invoice that has them came with them.
INSERT INTO pending_lines (
    org_id, id, customer_id, subscription_id, kind, description, quantity, unit_amount,
    amount_minor, currency, price_id, period_start_at, period_end_at, is_discountable, due_at,
    derivation, invoice_id, created_at
)
SELECT
    $1, l.id, l.customer_id, l.subscription_id, l.kind, l.description, l.quantity, l.unit_amount,
    l.amount_minor, l.currency, l.price_id, l.period_start_at, l.period_end_at, l.is_discountable,
    l.due_at, l.derivation, l.invoice_id, $2
FROM unnest(
    $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::numeric[],
    $10::bigint[], $11::text[], $12::uuid[], $13::timestamptz[], $14::timestamptz[], $15::boolean[],
    $16::timestamptz[], $17::jsonb[], $18::uuid[]
) AS l (
    id, customer_id, subscription_id, kind, description, quantity, unit_amount, amount_minor, currency,
    price_id, period_start_at, period_end_at, is_discountable, due_at, derivation, invoice_id
);

-- name: release_periods
-- What a voided invoice covered may be billed again.
UPDATE billed_periods SET release_id = invoice_id
WHERE
    org_id = $1 AND invoice_id = $2 AND release_id = '00000000-0000-0000-0000-000000000000';

-- name: free_lines
-- The lines that a voided invoice had taken up wait again.
UPDATE pending_lines SET invoice_id = NULL WHERE org_id = $1 AND invoice_id = $2;

-- name: restore_periods
-- Billed periods that a voided invoice had corrected are worth what they were before.
UPDATE billed_periods AS b SET
    quantity = (l.derivation ->> 'billedQuantity')::bigint,
    amount_minor = (l.derivation ->> 'billedCents')::bigint
FROM invoice_lines AS l
WHERE
    l.org_id = $1 AND l.invoice_id = $2 AND l.type = 'adjustment' AND l.derivation ? 'billedCents'
    AND b.org_id = $1 AND b.subscription_id = l.subscription_id
    AND b.meter_id = substr(l.derivation ->> 'meterId', 5)::uuid AND b.start_at = l.period_start_at
    AND b.release_id = '00000000-0000-0000-0000-000000000000';

-- name: unsettle_days
-- The days that a voided invoice had corrected are late again.
UPDATE usage_days AS d SET is_settled = false
FROM invoice_lines AS l, organizations AS o
WHERE
    l.org_id = $1 AND l.invoice_id = $2 AND l.type = 'adjustment' AND l.derivation ? 'billedCents'
    AND o.org_id = $1 AND d.org_id = $1 AND d.subscription_id = l.subscription_id
    AND d.meter_id = substr(l.derivation ->> 'meterId', 5)::uuid
    AND d.day >= (l.period_start_at AT TIME ZONE o.timezone)::date
    AND d.day::timestamp < l.period_end_at AT TIME ZONE o.timezone;
