-- name: take_numbers
-- Places in series, in their order; the rows stay locked until the documents are committed, so no gap.
INSERT INTO invoice_series AS s (org_id, series, last_number)
SELECT $1, w.series, w.many FROM unnest($2::text[], $3::integer[]) AS w (series, many)
ON CONFLICT (org_id, series) DO UPDATE SET last_number = s.last_number + excluded.last_number
RETURNING series, last_number - (
    SELECT w.many FROM unnest($2::text[], $3::integer[]) AS w (series, many) WHERE w.series = s.series
) + 1 AS first_number;

-- name: places
-- The places of these customers among those who have series of their own.
SELECT customer_id, place FROM customer_places WHERE org_id = $1 AND customer_id = ANY($2::uuid[]);

-- name: take_places
-- The last of so many new places; the row stays locked until they are given.
INSERT INTO customer_place_counts AS c (org_id, last_place) VALUES ($1, $2)
ON CONFLICT (org_id) DO UPDATE SET last_place = c.last_place + $2
RETURNING last_place;

-- name: give_places
-- A customer keeps its place for ever.
INSERT INTO customer_places (org_id, customer_id, place)
SELECT $1, n.customer_id, n.place FROM unnest($2::uuid[], $3::integer[]) AS n (customer_id, place);
