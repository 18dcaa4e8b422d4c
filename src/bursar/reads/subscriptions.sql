-- name: subscription
-- One subscription of the bound organization.
SELECT * FROM subscriptions WHERE org_id = $1 AND id = $2;

-- name: subscriptions_by_ids
-- Those of these subscriptions that are here.
SELECT * FROM subscriptions WHERE org_id = $1 AND id = ANY($2::uuid[]);

-- name: subscriptions
-- A window on the subscriptions, newest first; each filter may be absent.
SELECT * FROM subscriptions
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR customer_id = $5)
    AND ($6::uuid IS NULL OR plan_id = $6)
    AND ($7::text[] IS NULL OR status = ANY($7))
    AND ($8::timestamptz IS NULL OR created_at >= $8)
    AND ($9::timestamptz IS NULL OR created_at < $9)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_subscriptions
-- How many subscriptions the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM subscriptions
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR customer_id = $3)
        AND ($4::uuid IS NULL OR plan_id = $4)
        AND ($5::text[] IS NULL OR status = ANY($5))
        AND ($6::timestamptz IS NULL OR created_at >= $6)
        AND ($7::timestamptz IS NULL OR created_at < $7)
    LIMIT $2
) AS counted;

-- name: waiting_lines
-- A window on the lines of a subscription that no invoice took up yet, newest first.
SELECT * FROM pending_lines
WHERE
    org_id = $1 AND subscription_id = $2 AND invoice_id IS NULL AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC LIMIT $4 OFFSET $5;

-- name: count_waiting_lines
-- How many of them there are, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM pending_lines
    WHERE org_id = $1 AND subscription_id = $2 AND invoice_id IS NULL LIMIT $3
) AS counted;
