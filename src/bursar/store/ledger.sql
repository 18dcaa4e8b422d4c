-- name: find_accounts
-- The accounts of some codes in one currency.
SELECT id, code FROM ledger_accounts WHERE org_id = $1 AND currency = $2 AND code = ANY($3::text[]);

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
    WHERE org_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
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
