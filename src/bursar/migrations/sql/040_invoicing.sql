-- Customers, invoices and payments.

CREATE TABLE customers (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    currency char(3) NOT NULL,
    tax_id text,
    address jsonb,
    metadata jsonb NOT NULL,
    provider_reference text,
    method_reference text,
    deleted_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, provider_reference)
) WITH (fillfactor = 80);
CREATE INDEX customers_by_email ON customers (org_id, lower(email));

-- The next number of each series; the row's lock makes numbers gapless.
CREATE TABLE invoice_series (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    series text NOT NULL,
    last_number integer NOT NULL CHECK (last_number > 0),
    PRIMARY KEY (org_id, series)
);

CREATE TABLE invoices (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    currency char(3) NOT NULL,
    subtotal_minor bigint NOT NULL,
    discount_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    paid_minor bigint NOT NULL,
    series text,
    number integer,
    due_at timestamptz,
    memo text,
    metadata jsonb NOT NULL,
    hosted_generation integer NOT NULL,
    finalized_at timestamptz,
    paid_at timestamptz,
    voided_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    UNIQUE (org_id, series, number),
    CONSTRAINT invoice_adds_up CHECK (total_minor = subtotal_minor - discount_minor + tax_minor),
    CONSTRAINT invoice_amounts CHECK (
        total_minor BETWEEN 0 AND 9007199254740991 AND paid_minor BETWEEN 0 AND total_minor
    ),
    CONSTRAINT paid_in_full CHECK ((status = 'paid') = (paid_minor = total_minor AND paid_at IS NOT NULL)),
    CONSTRAINT numbered_when_final CHECK (
        (number IS NOT NULL AND series IS NOT NULL AND finalized_at IS NOT NULL)
        OR (number IS NULL AND series IS NULL AND finalized_at IS NULL AND status IN ('draft', 'void'))
    )
) WITH (fillfactor = 80);
CREATE INDEX invoices_by_customer ON invoices (org_id, customer_id, id);

CREATE TABLE invoice_lines (
    org_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    id uuid NOT NULL,
    position integer NOT NULL,
    description text NOT NULL,
    type text NOT NULL CHECK (type IN ('manual')),
    quantity bigint NOT NULL CHECK (quantity >= 0),
    unit_amount numeric NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (org_id, invoice_id, id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    UNIQUE (org_id, invoice_id, position)
);

CREATE TABLE payments (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    mode text NOT NULL CHECK (mode IN ('checkout', 'charge')),
    status text NOT NULL CHECK (
        status IN (
            'pending', 'requires_action', 'processing', 'succeeded', 'failed',
            'partially_refunded', 'refunded', 'disputed'
        )
    ),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL,
    provider text NOT NULL,
    provider_reference text,
    session_reference text,
    method_reference text,
    checkout_url text,
    next_action_url text,
    success_url text,
    cancel_url text,
    failure_code text CHECK (length(failure_code) <= 100),
    failure_message text CHECK (length(failure_message) <= 500),
    decline_kind text,
    attempt_key text NOT NULL,
    watch_step integer NOT NULL,
    is_credited boolean NOT NULL,
    expires_at timestamptz,
    settled_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    UNIQUE (org_id, provider, provider_reference),
    CONSTRAINT settled_when_over CHECK (
        (settled_at IS NULL) = (status IN ('pending', 'requires_action', 'processing'))
    )
) WITH (fillfactor = 80);
-- A hosted checkout and an automatic charge can never both be open on one invoice.
CREATE UNIQUE INDEX one_open_attempt ON payments (org_id, invoice_id)
WHERE status IN ('pending', 'requires_action', 'processing');
CREATE INDEX payments_by_invoice ON payments (org_id, invoice_id, id);
CREATE INDEX payments_by_customer ON payments (org_id, customer_id, id);

-- Facts heard from payment providers: one permanent row each, so nothing is ever handled twice.
CREATE TABLE provider_events (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    payment_id uuid,
    outcome jsonb,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    handled_at timestamptz,
    PRIMARY KEY (org_id, provider, event_id)
);
