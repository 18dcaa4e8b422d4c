-- name: claim_due
-- Leases what is due on the agenda, over all organizations; ids only.
SELECT org_id, kind, subject_id, due_at FROM sec.claim_due($1, $2);

-- name: relay_events
-- Gives new events to the endpoints that want them; how many were read.
SELECT sec.relay_events($1);

-- name: pass_on
-- The same, and leases at once what is due then: one commit for both. The relay comes first.
WITH r AS MATERIALIZED (SELECT sec.relay_events($1) AS passed_on)
SELECT r.passed_on, c.org_id, c.delivery_id FROM r
LEFT JOIN LATERAL sec.claim_deliveries(
    CASE WHEN r.passed_on IS NOT NULL THEN $2::integer END, $3, $4, $5
) AS c ON true;

-- name: claim_deliveries
-- Leases deliveries that are due, turn by turn; ids only.
SELECT org_id, delivery_id FROM sec.claim_deliveries($1, $2, $3, $4);

-- name: keep_delivered
-- Records good answers of endpoints that are well, under the machine's own signed context; ids only.
SELECT sec.keep_delivered($1, $2, $3, $4, $5, $6, $7) AS delivery_id;

-- name: unsealed_orgs
-- Organizations whose chain is behind their events.
SELECT unsealed AS org_id FROM sec.unsealed_orgs($1) AS unsealed;

-- name: orgs_to_checkpoint
-- Organizations that are due to be told the head of their chain.
SELECT due AS org_id FROM sec.orgs_to_checkpoint($1) AS due;

-- name: forget_idempotency_keys
-- Removes keys past their day; how many went.
SELECT sec.forget_idempotency_keys($1);

-- name: lags
-- Seconds the agenda and the relay are behind, and what is in transit.
SELECT sec.agenda_lag() AS agenda, sec.relay_lag() AS relay, t.active, t.age AS transit
FROM sec.transit() AS t;

-- name: find_api_keys
-- From keyed hashes, each with its asker's number, to organization and scopes; noted as used. The arrays
-- stand in SELECTs of their own, so that no plan is made for how many they happen to be.
SELECT w.asker, f.org_id, f.id, f.scopes, f.allowed_addresses, f.expires_at
FROM unnest((SELECT $1::int[]), (SELECT $2::bytea[])) AS w (asker, key_hash)
CROSS JOIN LATERAL sec.find_api_key(ARRAY[w.key_hash]) AS f;

-- name: org_of_payment
-- The organization of a payment that a provider's event names.
SELECT sec.org_of_payment($1);

-- name: payment_of_reference
-- The payment that a provider knows by this name.
SELECT sec.payment_of_reference($1, $2);

-- name: billing_backlog
-- How many subscriptions are due to be billed, in one organization or in all, and since when the oldest.
SELECT due, oldest_seconds FROM sec.billing_backlog($1);

-- name: books_read_until
-- How far a processor's books were read.
SELECT sec.books_read_until($1);

-- name: payout_read
-- The state in which a payout was last read.
SELECT sec.payout_read($1, $2);

-- name: note_payout_read
-- Every organization's share of a payout in this state is booked.
SELECT sec.note_payout_read($1, $2, $3);

-- name: org_ids
-- Every organization of the installation, oldest first.
SELECT sec.org_ids();

-- name: forget_visits
-- Tries, mailed tokens and refresh tokens that nobody can use any more.
SELECT sec.forget_visits($1);

-- name: orgs_to_fold
-- Organizations whose busy accounts can be carried forward.
SELECT found AS org_id FROM sec.orgs_to_fold($1, $2) AS found;

-- name: clocks_under_way
-- Organizations whose test clock is on its way, whoever has waited longest first.
SELECT found AS org_id FROM sec.clocks_under_way($1) AS found;

-- name: orgs_with_figures
-- Organizations with figures to add up.
SELECT found AS org_id FROM sec.orgs_with_figures($1) AS found;

-- name: forget_deliveries
-- Removes webhook deliveries that ended before a moment; how many went.
SELECT sec.forget_deliveries($1, $2);

-- name: finals_to_print
-- Invoices that became final and may be printed ahead; moves on in the log by what it read.
SELECT org_id, invoice_id FROM sec.finals_to_print($1, $2);
