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
