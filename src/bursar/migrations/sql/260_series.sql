-- Number series and imports.

-- Whose documents share a series, and whether it begins anew each year.
ALTER TABLE organizations
ADD COLUMN invoice_numbering text NOT NULL DEFAULT 'organization' CHECK (
    invoice_numbering IN ('organization', 'customer')
),
ADD COLUMN has_yearly_numbers boolean NOT NULL DEFAULT TRUE;

-- The place of each customer whose documents have series of their own, for ever.
CREATE TABLE customer_places (
    org_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    place integer NOT NULL CHECK (place > 0),
    PRIMARY KEY (org_id, customer_id),
    UNIQUE (org_id, place),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT
);
CREATE TABLE customer_place_counts (
    org_id uuid PRIMARY KEY REFERENCES organizations ON DELETE RESTRICT,
    last_place integer NOT NULL CHECK (last_place > 0)
);
CALL sec.isolate('customer_places');
CALL sec.isolate('customer_place_counts');
GRANT SELECT, INSERT ON customer_places TO bursar_app;
GRANT SELECT, INSERT, UPDATE ON customer_place_counts TO bursar_app;
GRANT SELECT ON customer_places, customer_place_counts TO bursar_backup;

-- What was taken over from elsewhere: one row a file, with what came of it.
CREATE TABLE imports (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('customers', 'opening_balances')),
    format text NOT NULL CHECK (format IN ('csv', 'jsonl')),
    created integer NOT NULL CHECK (created >= 0),
    unchanged integer NOT NULL CHECK (unchanged >= 0),
    failed integer NOT NULL CHECK (failed >= 0),
    faults jsonb NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- Who came under which reference; nobody comes twice. It goes with the person.
CREATE TABLE imported_customers (
    org_id uuid NOT NULL,
    reference text NOT NULL,
    customer_id uuid NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (org_id, reference),
    UNIQUE (org_id, customer_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT
);
-- What a customer came with; once.
CREATE TABLE opening_balances (
    org_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    PRIMARY KEY (org_id, customer_id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT
);
CALL sec.isolate('imports');
CALL sec.isolate('imported_customers');
CALL sec.isolate('opening_balances');
GRANT SELECT, INSERT ON imports, imported_customers, opening_balances TO bursar_app;
GRANT DELETE ON imported_customers TO bursar_app;  -- when the person is erased
GRANT SELECT ON imports, imported_customers, opening_balances TO bursar_backup;
