-- name: find_accounts
-- The accounts of some codes in one currency.
SELECT id, code FROM ledger_accounts
WHERE org_id = $1 AND currency = $2 AND code = ANY((SELECT $3::text[])::text[]);

-- name: open_accounts
-- Makes the accounts that do not exist yet; whoever comes second finds the first one's.
INSERT INTO ledger_accounts (org_id, id, code, currency, kind, floor_minor, balance_minor)
SELECT $1, a.id, a.code, $2, a.kind, a.floor_minor, CASE WHEN a.floor_minor IS NULL THEN NULL ELSE 0 END
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::bigint[]) AS a (id, code, kind, floor_minor)
ON CONFLICT (org_id, code, currency) DO NOTHING;

-- name: move_strict_balances
-- Changes kept balances in the order of account ids; the floor is checked by the same statement.
WITH locked AS (
    SELECT id FROM ledger_accounts
    WHERE org_id = $1 AND id = ANY((SELECT $2::uuid[])::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE ledger_accounts AS a SET balance_minor = a.balance_minor + m.delta
FROM unnest($2::uuid[], $3::bigint[]) AS m (id, delta)
JOIN locked AS l ON l.id = m.id
WHERE a.org_id = $1 AND a.id = m.id;

-- name: post
-- One posting with all its entries; a second one of the same move and source is impossible.
WITH posted AS (
    INSERT INTO ledger_transactions (
        org_id, id, kind, source_id, description, occurred_at, corrects_id
    )
    SELECT $1, $2, $3, $4, $5, $6, (
        SELECT t.id FROM ledger_transactions AS t
        WHERE t.org_id = $1 AND t.kind || '/' || t.source_id = $7::text
            AND t.kind = split_part($7::text, '/', 1)
            AND t.source_id = substr($7::text, strpos($7::text, '/') + 1)
    )
    RETURNING id
)
INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
SELECT $1, posted.id, e.position, e.account_id, e.amount_minor, $8
FROM posted, unnest($9::uuid[], $10::bigint[])
WITH ORDINALITY AS e (account_id, amount_minor, position);

-- name: post_many
-- Many postings at once; kept balances move by what all of them together say, under locks held already.
WITH moved AS (
    UPDATE ledger_accounts AS a SET balance_minor = a.balance_minor + m.delta
    FROM unnest($2::uuid[], $3::bigint[]) AS m (id, delta)
    WHERE a.org_id = $1 AND a.id = m.id
), posted AS (
    INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
    SELECT $1, t.id, t.kind, t.source_id, t.description, $4
    FROM unnest($5::uuid[], $6::text[], $7::text[], $8::text[]) AS t (id, kind, source_id, description)
)
INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
SELECT $1, e.transaction_id, e.position, e.account_id, e.amount_minor, e.currency
FROM unnest($9::uuid[], $10::smallint[], $11::uuid[], $12::bigint[], $13::text[])
AS e (transaction_id, position, account_id, amount_minor, currency);

-- name: close
-- From this commit on, accounts without a floor take no entry before that time; those with any are closed.
INSERT INTO ledger_folds AS f (
    org_id, account_id, sum_minor, entry_count, folded_before, closing_before, closing_transaction
)
SELECT
    a.org_id, a.id, 0, 0, '00000000-0000-0000-0000-000000000000', sec.first_id_at($2),
    pg_current_xact_id()
FROM ledger_accounts AS a
LEFT JOIN ledger_folds AS o ON o.org_id = a.org_id AND o.account_id = a.id
WHERE
    a.org_id = $1 AND a.balance_minor IS NULL AND o.closing_before IS NULL
    AND EXISTS (
        SELECT FROM ledger_entries AS e
        WHERE
            e.org_id = a.org_id AND e.account_id = a.id AND e.transaction_id < sec.first_id_at($2)
            AND e.transaction_id >= coalesce(o.folded_before, '00000000-0000-0000-0000-000000000000')
    )
ON CONFLICT (org_id, account_id) DO UPDATE
SET closing_before = excluded.closing_before, closing_transaction = excluded.closing_transaction
WHERE f.closing_before IS NULL;

-- name: fold
-- Adds up what was closed, once every transaction that might not have known of the closing has ended.
UPDATE ledger_folds AS f SET
    sum_minor = f.sum_minor + s.sum_minor, entry_count = f.entry_count + s.entry_count,
    folded_before = f.closing_before, closing_before = NULL, closing_transaction = NULL
FROM (
    SELECT
        o.account_id, coalesce(sum(e.amount_minor), 0)::bigint AS sum_minor,
        count(e.amount_minor) AS entry_count
    FROM ledger_folds AS o
    LEFT JOIN ledger_entries AS e
        ON e.org_id = o.org_id AND e.account_id = o.account_id
        AND e.transaction_id >= o.folded_before AND e.transaction_id < o.closing_before
    WHERE o.org_id = $1 AND o.closing_transaction < pg_snapshot_xmin(pg_current_snapshot())
    GROUP BY o.account_id
) AS s
WHERE f.org_id = $1 AND f.account_id = s.account_id;
