-- Ten thousand wallets with money in them, told of and booked as the API would have done it.
SET session_replication_role = replica;
CREATE TEMP TABLE made AS
SELECT n, sec.new_uuid7() AS wallet_id, sec.new_uuid7() AS account_id FROM generate_series(1, 10000) AS n;
INSERT INTO ledger_accounts (org_id, id, code, currency, kind, floor_minor, balance_minor)
SELECT :org, account_id, 'wallet:wal_' || wallet_id, 'usd', 'liability', 0, 1000000000 FROM made;
INSERT INTO ledger_accounts (org_id, id, code, currency, kind)
VALUES (:org, '01900000-0000-7000-8000-000000000001'::uuid, 'external', 'usd', 'equity');
INSERT INTO wallets (
    org_id, id, account_id, name, currency, status, provoke_credit, metadata, version, sequence,
    created_at, updated_at
)
SELECT :org, wallet_id, account_id, 'Wallet', 'usd', 'open', 'none', '{}', 1, 1, now(), now() FROM made;
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence, actor,
    request_id, occurred_at, snapshot
)
SELECT :org, sec.new_uuid7(), 'wallet.created', 1, true, 'wallet', wallet_id, 1, 'system:bench', 'bench',
    now(), '{"version": 1}' FROM made;
INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
SELECT :org, account_id, 'wallet_deposited', 'wal_' || wallet_id || ':1', '', now() FROM made;
INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
SELECT :org, account_id, 1, '01900000-0000-7000-8000-000000000001'::uuid, 1000000000, 'usd' FROM made
UNION ALL SELECT :org, account_id, 2, account_id, -1000000000, 'usd' FROM made;
SELECT wallet_id FROM made ORDER BY n;
