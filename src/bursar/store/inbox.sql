-- name: hear
-- One permanent row per provider and event; hearing it again touches nothing.
INSERT INTO provider_events (org_id, provider, event_id, type, payment_id, outcome, occurred_at, refund_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (org_id, provider, event_id) DO NOTHING;

-- name: heard
-- An event that waits to be handled, or was.
SELECT payment_id, refund_id, outcome::text AS outcome, handled_at FROM provider_events
WHERE org_id = $1 AND provider = $2 AND event_id = $3;

-- name: handled
-- The event has had its effect.
UPDATE provider_events SET handled_at = now()
WHERE org_id = $1 AND provider = $2 AND event_id = $3 AND handled_at IS NULL;
