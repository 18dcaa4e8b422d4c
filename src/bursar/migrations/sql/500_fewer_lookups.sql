-- What every statement and every posting asks of the database, with less of it asked twice.

-- As before: the organization that the application signed for this session, or an error. A key is
-- read as it stands and compared here; a query that compares would cost more than the comparison.
CREATE OR REPLACE FUNCTION sec.org() RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    context text := current_setting('bursar.context', true);
    message bytea;
    signed text;
    good boolean := false;
    pads record;
BEGIN
    IF context IS NULL OR context = '' THEN
        RAISE EXCEPTION 'no organization is bound' USING ERRCODE = '42501';
    END IF;
    signed := left(context, length(context) - 65);
    message := convert_to(signed, 'UTF8');
    FOR pads IN SELECT k.inner_pad, k.outer_pad FROM sec.context_keys AS k LOOP
        good := encode(sha256(pads.outer_pad || sha256(pads.inner_pad || message)), 'hex') = right(context, 64);
        EXIT WHEN good;
    END LOOP;
    IF good IS NOT TRUE
        OR split_part(signed, '|', 2) <> pg_backend_pid()::text
        OR split_part(signed, '|', 3)::bigint < extract(epoch FROM clock_timestamp())
    THEN
        RAISE EXCEPTION 'the bound organization is not signed for this session' USING ERRCODE = '42501';
    END IF;
    RETURN split_part(signed, '|', 1)::uuid;
END $$;

-- As before: each inserting statement balances by itself, per transaction and currency; it names
-- transactions and accounts that exist, in the account's own currency, and nothing before where the
-- books are closed. Each transaction and each account is looked up once, by its key whatever the size of
-- the tables; only an account that keeps no balance of its own is ever closed.
CREATE OR REPLACE FUNCTION sec.refuse_unbalanced() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    broken record;
BEGIN
    SELECT e.transaction_id AS id, e.off INTO broken FROM (
        SELECT w.org_id, w.transaction_id, sum(w.amount_minor) AS off FROM written AS w
        GROUP BY w.org_id, w.transaction_id, w.currency
    ) AS e
    WHERE e.off <> 0 OR (
        SELECT t.id FROM public.ledger_transactions AS t WHERE t.org_id = e.org_id AND t.id = e.transaction_id
    ) IS NULL
    ORDER BY e.off = 0 LIMIT 1;
    IF broken.off <> 0 THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero', broken.id USING ERRCODE = '23514',
            CONSTRAINT = 'ledger_balances';
    ELSIF broken.off = 0 THEN
        RAISE EXCEPTION 'there is no ledger transaction %', broken.id USING ERRCODE = '23503',
            CONSTRAINT = 'ledger_entry_has_transaction';
    END IF;
    SELECT e.account_id AS id, coalesce(a.currency = e.currency, false) AS is_named INTO broken FROM (
        SELECT DISTINCT w.org_id, w.account_id, w.currency FROM written AS w
    ) AS e
    LEFT JOIN LATERAL (
        SELECT o.id, o.currency, o.balance_minor FROM public.ledger_accounts AS o
        WHERE o.org_id = e.org_id AND o.id = e.account_id OFFSET 0
    ) AS a ON true
    WHERE a.id IS NULL OR a.currency <> e.currency OR (a.balance_minor IS NULL AND EXISTS (
        SELECT FROM public.ledger_folds AS f JOIN written AS w
            ON w.org_id = f.org_id AND w.account_id = f.account_id
                AND w.transaction_id < coalesce(f.closing_before, f.folded_before)
        WHERE f.org_id = e.org_id AND f.account_id = e.account_id
    ))
    LIMIT 1;
    IF broken.is_named THEN
        RAISE EXCEPTION 'the books of account % are closed for that time', broken.id USING ERRCODE = '23514',
            CONSTRAINT = 'ledger_books_closed';
    ELSIF NOT broken.is_named THEN
        RAISE EXCEPTION 'there is no such account in this currency: %', broken.id USING ERRCODE = '23503',
            CONSTRAINT = 'ledger_entry_has_account';
    END IF;
    RETURN NULL;
END $$;
