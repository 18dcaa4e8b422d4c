-- name: leased_deliveries
-- Enters, and only then reads deliveries that this worker leases, each with its endpoint and its
-- event, a row for each that was asked for. The arrays stand in SELECTs of their own: a plan for as many as
-- they happen to be was made anew for each delivery, and took five times as long as the look.
SELECT
    entered.*,
    CASE WHEN entered.is_credential_good THEN (
        SELECT d.event_type FROM webhook_deliveries AS d
        WHERE
            d.org_id = $5 AND d.id = asked.id AND d.lease_token = asked.lease
            AND d.status = 'pending'
    ) END AS told_as,
    CASE WHEN entered.is_credential_good THEN (
        SELECT s FROM webhook_deliveries AS d
        JOIN webhook_subscriptions AS s ON s.org_id = d.org_id AND s.id = d.subscription_id
        WHERE d.org_id = $5 AND d.id = asked.id
    ) END AS endpoint,
    CASE WHEN entered.is_credential_good THEN (
        SELECT e FROM webhook_deliveries AS d
        JOIN events AS e ON e.org_id = d.org_id AND e.id = d.event_id
        WHERE d.org_id = $5 AND d.id = asked.id
    ) END AS event
FROM sec.glance($1, $2, $3, $4) AS entered
CROSS JOIN unnest((SELECT $6::uuid[]), (SELECT $7::uuid[])) WITH ORDINALITY AS asked (id, lease, place)
ORDER BY asked.place;
