-- Tax rates and credit notes.

ALTER TABLE customers
ADD COLUMN tax_treatment text NOT NULL DEFAULT 'taxable' CHECK (
    tax_treatment IN ('taxable', 'exempt', 'reverse_charge')
);

-- A rate is never changed: documents were made with it.
CREATE TABLE tax_rates (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    name text NOT NULL,
    percent numeric NOT NULL CHECK (percent >= 0 AND percent <= 100),
    is_inclusive boolean NOT NULL,
    category text NOT NULL CHECK (category IN ('standard', 'zero', 'exempt', 'reverse_charge')),
    country char(2),
    note text,
    is_automatic boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'archived')),
    metadata jsonb NOT NULL,
    archived_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT only_standard_is_taxed CHECK (category = 'standard' OR percent = 0),
    CONSTRAINT archived_when CHECK ((status = 'archived') = (archived_at IS NOT NULL))
);
CREATE INDEX automatic_tax_rates ON tax_rates (org_id, country) WHERE is_automatic AND status = 'active';
CALL sec.isolate('tax_rates');
GRANT SELECT, INSERT, UPDATE ON tax_rates TO bursar_app;
GRANT SELECT ON tax_rates TO bursar_backup;

-- What was taken back of invoices. A note is never changed.
CREATE TABLE credit_notes (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    series text NOT NULL,
    number integer NOT NULL,
    currency char(3) NOT NULL,
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    tax_minor bigint NOT NULL,
    applied_minor bigint NOT NULL CHECK (applied_minor >= 0),
    credited_minor bigint NOT NULL CHECK (credited_minor >= 0),
    destination text NOT NULL CHECK (destination IN ('credit_balance', 'refund')),
    refund_id uuid,
    reason text,
    metadata jsonb NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, series, number),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    FOREIGN KEY (org_id, refund_id) REFERENCES refunds ON DELETE RESTRICT,
    CONSTRAINT note_adds_up CHECK (total_minor = applied_minor + credited_minor),
    CONSTRAINT refunded_when_so CHECK ((destination = 'refund') = (refund_id IS NOT NULL))
);
CREATE INDEX credit_notes_by_invoice ON credit_notes (org_id, invoice_id, id);
CREATE INDEX credit_notes_by_customer ON credit_notes (org_id, customer_id, id);

CREATE TABLE credit_note_lines (
    org_id uuid NOT NULL,
    credit_note_id uuid NOT NULL,
    id uuid NOT NULL,
    position integer NOT NULL,
    invoice_id uuid NOT NULL,
    invoice_line_id uuid NOT NULL,
    description text NOT NULL,
    amount_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    taxes jsonb NOT NULL,
    PRIMARY KEY (org_id, credit_note_id, id),
    FOREIGN KEY (org_id, credit_note_id) REFERENCES credit_notes ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id, invoice_line_id) REFERENCES invoice_lines ON DELETE RESTRICT
);
CREATE INDEX credit_note_lines_by_invoice ON credit_note_lines (org_id, invoice_id, invoice_line_id);

CALL sec.isolate('credit_notes');
CALL sec.isolate('credit_note_lines');
GRANT SELECT, INSERT ON credit_notes, credit_note_lines TO bursar_app;
GRANT SELECT ON credit_notes, credit_note_lines TO bursar_backup;
