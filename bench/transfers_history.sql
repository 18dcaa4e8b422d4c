-- Transfers of an organization nobody asks about, with their entries and events: indexes get their depth.
SET session_replication_role = replica;
CREATE TEMP TABLE past AS
SELECT sec.new_uuid7() AS id, sec.new_uuid7() AS debit, sec.new_uuid7() AS credit,
    md5((random() * 10000)::integer::text)::uuid AS sender, md5((random() * 10000)::integer::text)::uuid AS receiver
FROM generate_series(1, :count);
INSERT INTO transfers (
    org_id, id, from_wallet_id, to_wallet_id, status, amount_minor, currency, metadata, provoked,
    credit_attempts, version, sequence, created_at, debited_at, credited_at, completed_at
)
SELECT :org, id, sender, gen_random_uuid(), 'COMPLETED', 1, 'usd', '{}', 'none', 0, 4, 4, now(), now(), now(),
    now() FROM past;
INSERT INTO ledger_transactions (org_id, id, kind, source_id, description, occurred_at)
SELECT :org, debit, 'transfer_debited', 'txn_' || id, '', now() FROM past
UNION ALL SELECT :org, credit, 'transfer_credited', 'txn_' || id, '', now() FROM past;
INSERT INTO ledger_entries (org_id, transaction_id, position, account_id, amount_minor, currency)
SELECT :org, debit, 1, sender, 1, 'usd' FROM past UNION ALL SELECT :org, debit, 2, :org, -1, 'usd' FROM past
UNION ALL SELECT :org, credit, 1, :org, 1, 'usd' FROM past
UNION ALL SELECT :org, credit, 2, receiver, -1, 'usd' FROM past;
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence, actor,
    request_id, occurred_at, snapshot
)
SELECT :org, sec.new_uuid7(), 'transaction.' || t.type, 1, true, 'transaction', p.id, t.sequence, 'system:bench',
    'bench', now(), '{"version": 4}'
FROM past AS p CROSS JOIN (
    VALUES ('initiated', 1), ('debited', 2), ('credited', 3), ('completed', 4)
) AS t (type, sequence);
ANALYZE;
