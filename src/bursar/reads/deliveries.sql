-- name: leased_delivery
-- Enters, and only then reads a delivery that this worker leases, with its endpoint and its event.
SELECT
    entered.*,
    CASE WHEN entered.is_credential_good THEN (
        SELECT d.event_type FROM webhook_deliveries AS d
        WHERE d.org_id = $5 AND d.id = $6 AND d.lease_token = $7 AND d.status = 'pending'
    ) END AS told_as,
    CASE WHEN entered.is_credential_good THEN (
        SELECT s FROM webhook_deliveries AS d
        JOIN webhook_subscriptions AS s ON s.org_id = d.org_id AND s.id = d.subscription_id
        WHERE d.org_id = $5 AND d.id = $6
    ) END AS endpoint,
    CASE WHEN entered.is_credential_good THEN (
        SELECT e FROM webhook_deliveries AS d
        JOIN events AS e ON e.org_id = d.org_id AND e.id = d.event_id
        WHERE d.org_id = $5 AND d.id = $6
    ) END AS event
FROM sec.glance($1, $2, $3, $4) AS entered;
