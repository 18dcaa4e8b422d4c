-- name: event
-- One fact of the bound organization.
SELECT * FROM events WHERE org_id = $1 AND id = $2;

-- name: feed
-- Public facts after a cursor, in reading order, behind the oldest running transaction: whoever
-- follows with the last id skips none, however late it was committed.
SELECT e.* FROM events AS e
WHERE
    e.org_id = $1 AND e.is_public
    AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    AND (e.transaction_id, e.id) > (
        coalesce((SELECT a.transaction_id FROM events AS a WHERE a.org_id = $1 AND a.id = $2), '0'),
        coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
    )
    AND ($4::text[] IS NULL OR e.type = ANY($4))
    AND ($5::uuid IS NULL OR e.resource_id = $5)
    AND ($6::text IS NULL OR e.actor = $6)
ORDER BY e.transaction_id, e.id LIMIT $3;

-- name: feed_backward
-- Public facts before a cursor, in the order opposite to the feed's and as far as it tells.
SELECT e.* FROM events AS e
WHERE
    e.org_id = $1 AND e.is_public
    AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    AND (e.transaction_id, e.id) < (
        coalesce(
            (SELECT a.transaction_id FROM events AS a WHERE a.org_id = $1 AND a.id = $2),
            '18446744073709551615'
        ),
        coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    )
    AND ($4::text[] IS NULL OR e.type = ANY($4))
    AND ($5::uuid IS NULL OR e.resource_id = $5)
    AND ($6::text IS NULL OR e.actor = $6)
ORDER BY e.transaction_id DESC, e.id DESC LIMIT $3;

-- name: newest_event
-- The last event behind the oldest running transaction.
SELECT e.id FROM events AS e
WHERE e.org_id = $1 AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.transaction_id DESC, e.id DESC LIMIT 1;

-- name: audit
-- A window on every fact, public or not, newest first; each filter may be absent.
SELECT e.* FROM events AS e
WHERE
    e.org_id = $1 AND ($2::uuid IS NULL OR e.id < $2)
    AND ($5::text IS NULL OR e.resource_type = $5)
    AND ($6::uuid IS NULL OR e.resource_id = $6)
    AND ($7::text IS NULL OR e.actor = $7)
    AND ($8::text IS NULL OR e.type = $8)
    AND ($9::timestamptz IS NULL OR e.occurred_at >= $9)
    AND ($10::timestamptz IS NULL OR e.occurred_at < $10)
ORDER BY e.id DESC LIMIT $3 OFFSET $4;

-- name: count_audit
-- How many facts the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM events AS e
    WHERE
        e.org_id = $1
        AND ($3::text IS NULL OR e.resource_type = $3)
        AND ($4::uuid IS NULL OR e.resource_id = $4)
        AND ($5::text IS NULL OR e.actor = $5)
        AND ($6::text IS NULL OR e.type = $6)
        AND ($7::timestamptz IS NULL OR e.occurred_at >= $7)
        AND ($8::timestamptz IS NULL OR e.occurred_at < $8)
    LIMIT $2
) AS counted;
