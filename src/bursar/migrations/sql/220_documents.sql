-- Recurring invoices: templates, and which invoice each occurrence became.

CREATE TABLE recurring_invoices (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'paused', 'canceled', 'completed')),
    currency char(3) NOT NULL,
    lines jsonb NOT NULL,
    recurs text NOT NULL CHECK (recurs IN ('day', 'week', 'month', 'year')),
    interval_count integer NOT NULL CHECK (interval_count BETWEEN 1 AND 120),
    timezone text NOT NULL,
    start_at timestamptz NOT NULL,
    end_at timestamptz,
    occurrence integer NOT NULL CHECK (occurrence >= 0),
    next_at timestamptz,
    last_invoice_id uuid,
    auto_finalize boolean NOT NULL,
    auto_send boolean NOT NULL,
    memo text,
    metadata jsonb NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    FOREIGN KEY (org_id, last_invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    CONSTRAINT ends_after_start CHECK (end_at >= start_at),
    CONSTRAINT next_while_active CHECK ((status = 'active') = (next_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX recurring_invoices_by_customer ON recurring_invoices (org_id, customer_id, id);

-- An occurrence of a template becomes an invoice once, whatever runs twice.
CREATE TABLE recurring_occurrences (
    org_id uuid NOT NULL,
    recurring_invoice_id uuid NOT NULL,
    occurrence integer NOT NULL CHECK (occurrence >= 0),
    invoice_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, recurring_invoice_id, occurrence),
    UNIQUE (org_id, invoice_id),
    FOREIGN KEY (org_id, recurring_invoice_id) REFERENCES recurring_invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT
);

CALL sec.isolate('recurring_invoices');
CALL sec.isolate('recurring_occurrences');
GRANT SELECT, INSERT, UPDATE ON recurring_invoices TO bursar_app;
GRANT SELECT, INSERT ON recurring_occurrences TO bursar_app;
GRANT SELECT ON recurring_invoices, recurring_occurrences TO bursar_backup;

-- Facts beside an invoice's state: its customer was written to, its due date has passed.
ALTER TABLE invoices ADD COLUMN sent_at timestamptz, ADD COLUMN overdue_at timestamptz;

-- How an organization's documents and mail look; without a row as everybody's do.
CREATE TABLE document_settings (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    language text NOT NULL CHECK (language IN ('en', 'de', 'fr', 'es')),
    paper text NOT NULL CHECK (paper IN ('a4', 'letter')),
    address jsonb,
    tax_id text,
    footer text,
    reply_to text,
    iban text,
    bic text,
    logo bytea CHECK (octet_length(logo) <= 100000),
    sends_mail boolean NOT NULL,
    sends_receipts boolean NOT NULL,
    sends_failures boolean NOT NULL,
    reminder_days integer[] NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT one_per_organization CHECK (id = org_id)
);

-- A reminder is written once for each of its days, whatever runs twice.
CREATE TABLE invoice_reminders (
    org_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    days integer NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, invoice_id, days),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT
);

ALTER TABLE mails ADD COLUMN invoice_id uuid,
ADD FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT;
CREATE INDEX mails_by_invoice ON mails (org_id, invoice_id, id) WHERE invoice_id IS NOT NULL;

CALL sec.isolate('document_settings');
CALL sec.isolate('invoice_reminders');
GRANT SELECT, INSERT, UPDATE ON document_settings TO bursar_app;
GRANT SELECT, INSERT ON invoice_reminders TO bursar_app;
GRANT SELECT ON document_settings, invoice_reminders TO bursar_backup;
