-- Double entry under everything. Entries are signed, debit positive; every posting sums to zero per
-- currency, and the database itself refuses one that does not, whoever writes it.

CREATE TABLE ledger_accounts (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    code text NOT NULL,
    currency char(3) NOT NULL,
    kind text NOT NULL CHECK (
        kind IN ('asset', 'liability', 'equity', 'revenue', 'expense', 'contra_revenue')
    ),
    floor_minor bigint,
    -- Kept for strict accounts only (those with a floor): the natural-side balance.
    balance_minor bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, code, currency),
    CONSTRAINT strict_has_balance CHECK ((floor_minor IS NULL) = (balance_minor IS NULL)),
    CONSTRAINT balance_above_floor CHECK (balance_minor >= floor_minor)
) WITH (fillfactor = 70);

CREATE TABLE ledger_transactions (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    kind text NOT NULL,
    source_id text NOT NULL,
    description text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    corrects_id uuid,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, kind, source_id),
    FOREIGN KEY (org_id, corrects_id) REFERENCES ledger_transactions (org_id, id) ON DELETE RESTRICT
);

CREATE TABLE ledger_entries (
    org_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    position smallint NOT NULL,
    account_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (
        amount_minor <> 0 AND amount_minor BETWEEN -9007199254740991 AND 9007199254740991
    ),
    currency char(3) NOT NULL,
    PRIMARY KEY (org_id, transaction_id, position),
    FOREIGN KEY (org_id, transaction_id) REFERENCES ledger_transactions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, account_id) REFERENCES ledger_accounts ON DELETE RESTRICT
);
CREATE INDEX ledger_entries_by_account ON ledger_entries (org_id, account_id, transaction_id);

-- Each inserting statement balances by itself, per transaction and currency.
CREATE FUNCTION sec.refuse_unbalanced() RETURNS trigger
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
    RETURN NULL;
END $$;
CREATE TRIGGER ledger_balances AFTER INSERT ON ledger_entries
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_unbalanced();

CREATE FUNCTION sec.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
