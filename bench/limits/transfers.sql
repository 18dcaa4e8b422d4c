-- What one transfer must leave behind: one transfer row, two entries, two balances, and the trigger that
-- proves each inserting statement balanced. No events, no states, no keys, no credentials, no tenants.
CREATE TABLE bench.accounts (id integer PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0))
WITH (fillfactor = 70);
CREATE TABLE bench.transfers (id uuid PRIMARY KEY, amount bigint NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE bench.entries (
    transfer_id uuid NOT NULL, account_id integer NOT NULL, amount bigint NOT NULL,
    PRIMARY KEY (transfer_id, account_id)
);
CREATE FUNCTION bench.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM written GROUP BY transfer_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'unbalanced';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER balances AFTER INSERT ON bench.entries
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION bench.refuse_unbalanced();

-- One transfer a commit.
CREATE FUNCTION bench.transfer(sender integer, receiver integer, minor bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    made uuid := gen_random_uuid();
BEGIN
    PERFORM 1 FROM bench.accounts WHERE id IN (sender, receiver) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO bench.transfers VALUES (made, minor, now());
    INSERT INTO bench.entries VALUES (made, sender, -minor), (made, receiver, minor);
    UPDATE bench.accounts SET balance = balance + CASE id WHEN sender THEN -minor ELSE minor END
    WHERE id IN (sender, receiver);
END $$;

-- As many as a set takes, made up on the spot: nothing comes over the wire.
CREATE FUNCTION bench.transfer_many(wanted integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    senders integer[];
    receivers integer[];
BEGIN
    SELECT array_agg(gen_random_uuid()), array_agg(s), array_agg(1 + (s + r) % 10000)
    INTO ids, senders, receivers
    FROM (
        SELECT 1 + floor(random() * 10000)::integer AS s, floor(random() * 9998)::integer AS r
        FROM generate_series(1, wanted)
    ) AS pairs;
    PERFORM 1 FROM bench.accounts WHERE id = ANY(senders || receivers) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO bench.transfers SELECT t.id, 1, now() FROM unnest(ids) AS t (id);
    INSERT INTO bench.entries
    SELECT t.id, e.account, e.amount FROM unnest(ids, senders, receivers) AS t (id, sender, receiver)
    CROSS JOIN LATERAL (VALUES (t.sender, -1), (t.receiver, 1)) AS e (account, amount);
    UPDATE bench.accounts AS a SET balance = a.balance + m.delta
    FROM (
        SELECT t.account, sum(t.amount) AS delta FROM (
            SELECT unnest(senders) AS account, -1 AS amount UNION ALL SELECT unnest(receivers), 1
        ) AS t GROUP BY t.account
    ) AS m WHERE a.id = m.account;
END $$;

INSERT INTO bench.accounts SELECT n, 1000000000 FROM generate_series(1, 10000) AS n;
