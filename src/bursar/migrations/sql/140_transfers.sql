-- Transfers between wallets and the complete ledger.
--
-- Rows that are written by the thousand a second carry no row-by-row foreign key: each would be a
-- query of its own. One trigger a statement proves the same for all of them at once, and `verify`
-- proves it again.

CREATE TABLE transfers (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    from_wallet_id uuid NOT NULL,
    to_wallet_id uuid NOT NULL,
    -- The other statuses are passed through within a commit.
    status text NOT NULL CHECK (status IN ('DEBITED', 'COMPLETED', 'FAILED')),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 9007199254740991),
    currency char(3) NOT NULL,
    description text,
    metadata jsonb NOT NULL,
    -- In sandbox organizations: what becomes of the credit.
    provoked text NOT NULL CHECK (provoked IN ('none', 'refuse', 'time_out', 'later')),
    credit_attempts smallint NOT NULL CHECK (credit_attempts >= 0),
    failure text,
    -- The caller's own word for this transfer: the same one never moves money twice.
    caller_key text CHECK (length(caller_key) BETWEEN 1 AND 255),
    version smallint NOT NULL,
    sequence smallint NOT NULL,
    created_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    debited_at timestamptz,
    credited_at timestamptz,
    completed_at timestamptz,
    refunding_at timestamptz,
    failed_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT between_two CHECK (from_wallet_id <> to_wallet_id),
    CONSTRAINT failed_for_a_reason CHECK ((failure IS NOT NULL) = (refunding_at IS NOT NULL)),
    -- Every step has its instant, and no other: the history is these columns.
    CONSTRAINT steps_fit_status CHECK (
        debited_at IS NOT NULL
        AND num_nonnulls(credited_at, completed_at) = CASE status WHEN 'COMPLETED' THEN 2 ELSE 0 END
        AND num_nonnulls(refunding_at, failed_at) = CASE status WHEN 'FAILED' THEN 2 ELSE 0 END
    )
) WITH (fillfactor = 90);
CREATE INDEX transfers_by_sender ON transfers (org_id, from_wallet_id, created_at);
CREATE INDEX transfers_by_receiver ON transfers (org_id, to_wallet_id, created_at);
CREATE UNIQUE INDEX transfers_by_key ON transfers (org_id, caller_key) WHERE caller_key IS NOT NULL;
CREATE INDEX transfers_in_flight ON transfers (org_id, id) WHERE status = 'DEBITED';

CALL sec.isolate('transfers');
GRANT SELECT, INSERT, UPDATE ON transfers TO bursar_app;
GRANT SELECT ON transfers TO bursar_backup;

-- A sandbox may also ask for a credit that is good, in a commit of its own.
ALTER TABLE wallets DROP CONSTRAINT wallets_provoke_credit_check;
ALTER TABLE wallets ADD CONSTRAINT wallets_provoke_credit_check CHECK (
    provoke_credit IN ('none', 'refuse', 'time_out', 'later')
);

ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_org_id_transaction_id_fkey;
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_org_id_account_id_fkey;
ALTER TABLE ledger_transactions DROP CONSTRAINT ledger_transactions_org_id_fkey;
ALTER TABLE events DROP CONSTRAINT events_org_id_fkey;

-- Where the running of an account's balance stands: entries of transactions before `folded_before`
-- are in `sum_minor`. Closing comes first, in a commit of its own: from then on no entry before
-- `closing_before` is taken, so that what is added up later is complete.
CREATE TABLE ledger_folds (
    org_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sum_minor bigint NOT NULL,
    entry_count bigint NOT NULL,
    folded_before uuid NOT NULL,
    closing_before uuid,
    closing_transaction xid8,
    PRIMARY KEY (org_id, account_id),
    FOREIGN KEY (org_id, account_id) REFERENCES ledger_accounts (org_id, id) ON DELETE RESTRICT,
    CONSTRAINT closes_forward CHECK (closing_before IS NULL OR closing_before >= folded_before),
    CONSTRAINT closing_is_known CHECK ((closing_before IS NULL) = (closing_transaction IS NULL))
) WITH (fillfactor = 70);
CALL sec.isolate('ledger_folds');
GRANT SELECT, INSERT, UPDATE ON ledger_folds TO bursar_app;
GRANT SELECT ON ledger_folds TO bursar_backup;

-- Each inserting statement balances by itself, per transaction and currency; it names accounts and
-- transactions that exist, in the account's own currency, and nothing before where the books are closed.
CREATE OR REPLACE FUNCTION sec.refuse_unbalanced() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken uuid;
BEGIN
    SELECT e.transaction_id INTO broken FROM written AS e
    GROUP BY e.org_id, e.transaction_id, e.currency
    HAVING sum(e.amount_minor) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', broken USING ERRCODE = '23514',
            CONSTRAINT = 'ledger_balances';
    END IF;
    SELECT e.account_id INTO broken FROM (
        SELECT DISTINCT w.org_id, w.account_id, w.currency FROM written AS w
    ) AS e
    LEFT JOIN public.ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
    WHERE a.id IS NULL OR a.currency <> e.currency LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no such account in this currency: %', broken USING ERRCODE = '23503',
            CONSTRAINT = 'ledger_entry_has_account';
    END IF;
    SELECT e.transaction_id INTO broken FROM (
        SELECT DISTINCT w.org_id, w.transaction_id FROM written AS w
    ) AS e
    LEFT JOIN public.ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
    WHERE t.id IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no ledger transaction %', broken USING ERRCODE = '23503',
            CONSTRAINT = 'ledger_entry_has_transaction';
    END IF;
    SELECT e.account_id INTO broken FROM written AS e
    JOIN public.ledger_folds AS f ON f.org_id = e.org_id AND f.account_id = e.account_id
    WHERE e.transaction_id < coalesce(f.closing_before, f.folded_before) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books of account % are closed for that time', broken USING ERRCODE = '23514',
            CONSTRAINT = 'ledger_books_closed';
    END IF;
    RETURN NULL;
END $$;

-- Organizations with entries that are old enough to be folded.
CREATE FUNCTION sec.orgs_to_fold(p_margin interval, p_limit integer) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT o.org_id FROM public.organizations AS o
    LEFT JOIN LATERAL (
        SELECT f.folded_before, f.closing_before FROM public.ledger_folds AS f
        WHERE f.org_id = o.org_id ORDER BY f.closing_before NULLS LAST, f.folded_before DESC LIMIT 1
    ) AS last ON true
    WHERE last.closing_before IS NOT NULL OR EXISTS (
        SELECT FROM public.ledger_transactions AS t
        WHERE t.org_id = o.org_id AND t.id < sec.first_id_at(now() - p_margin)
            AND t.id >= coalesce(last.folded_before, '00000000-0000-0000-0000-000000000000')
    ) LIMIT p_limit
$$;
REVOKE ALL ON FUNCTION sec.orgs_to_fold(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.orgs_to_fold(interval, integer) TO bursar_app;

-- How many transfers are between their debit and their credit, and for how many seconds the oldest has been.
CREATE FUNCTION sec.transit(OUT active bigint, OUT age double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*), coalesce(extract(epoch FROM now() - min(t.recorded_at)), 0)::double precision
    FROM public.transfers AS t WHERE t.status = 'DEBITED'
$$;
REVOKE ALL ON FUNCTION sec.transit() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.transit() TO bursar_app;
