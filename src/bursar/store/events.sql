-- name: append
-- Facts in the order they were told; nobody may change them afterwards.
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, reason, request_id, occurred_at, snapshot, previous, address, personal,
    personal_digest
)
SELECT
    $1, e.id, e.type, e.payload_version, e.is_public, e.resource_type, e.resource_id, e.sequence,
    $2, $3, $4, $5, e.snapshot, e.previous, CASE WHEN NOT e.is_public THEN $15::text END, e.personal,
    sha256(e.personal)
FROM unnest(
    $6::uuid[], $7::text[], $8::smallint[], $9::boolean[], $10::text[], $11::uuid[], $12::integer[],
    $13::jsonb[], $14::jsonb[], $16::bytea[]
) AS e (
    id, type, payload_version, is_public, resource_type, resource_id, sequence, snapshot, previous,
    personal
);

-- name: last_seal
-- The head of the organization's chain, locked by inserting after it: positions are unique.
SELECT position, event_id, transaction_id::text AS transaction_id, hash FROM event_seals
WHERE org_id = $1 ORDER BY position DESC LIMIT 1;

-- name: unsealed
-- What the chain does not cover yet, behind the oldest running transaction, in reading order.
SELECT
    e.id, e.transaction_id::text AS transaction_id, e.type, e.payload_version, e.is_public,
    e.resource_type, e.resource_id, e.sequence, e.actor, e.reason, e.request_id, e.occurred_at,
    e.recorded_at, e.snapshot::text AS snapshot, e.previous::text AS previous, e.address,
    CASE
        WHEN e.personal_digest IS NOT NULL
            THEN sec.personal_word(e.org_id, e.resource_id, e.personal, e.personal_digest)
    END AS personal
FROM events AS e
WHERE
    e.org_id = $1 AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    AND (e.transaction_id, e.id) > ($2::text::xid8, $3::uuid)
ORDER BY e.transaction_id, e.id LIMIT $4;

-- name: seal
-- New links of the chain.
INSERT INTO event_seals (org_id, position, event_id, transaction_id, hash)
SELECT $1, s.position, s.event_id, s.transaction_id::xid8, s.hash
FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::bytea[])
AS s (position, event_id, transaction_id, hash);

-- name: append_many
-- The same for facts that several callers caused: each names its own actor, reason and request.
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, reason, request_id, occurred_at, snapshot, previous, personal, personal_digest
)
SELECT
    $1, e.id, e.type, e.payload_version, e.is_public, e.resource_type, e.resource_id, e.sequence,
    e.actor, e.reason, e.request_id, $2, e.snapshot, e.previous, e.personal, sha256(e.personal)
FROM jsonb_to_recordset($3::jsonb) AS e (
    id uuid, type text, payload_version smallint, is_public boolean, resource_type text,
    resource_id uuid, sequence integer, actor text, reason text, request_id text, snapshot jsonb,
    previous jsonb, personal bytea
);
