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
