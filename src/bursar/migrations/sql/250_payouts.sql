-- Payouts, fees and ways to pay.

-- What customers can be charged by: the provider's token, and what a receipt may show of it.
CREATE TABLE payment_methods (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    provider text NOT NULL,
    provider_reference text NOT NULL CHECK (length(provider_reference) <= 255),
    kind text NOT NULL CHECK (length(kind) <= 100),
    brand text CHECK (length(brand) <= 100),
    last4 text CHECK (length(last4) <= 4),
    exp_month integer CHECK (exp_month BETWEEN 1 AND 12),
    exp_year integer CHECK (exp_year BETWEEN 1900 AND 9999),
    detached_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT
) WITH (fillfactor = 80);
CREATE INDEX payment_methods_by_customer ON payment_methods (org_id, customer_id, id);
-- What the provider took back may come again under its old name.
CREATE UNIQUE INDEX payment_methods_attached ON payment_methods (org_id, provider, provider_reference)
WHERE detached_at IS NULL;

CALL sec.isolate('payment_methods');
GRANT SELECT, INSERT, UPDATE ON payment_methods TO bursar_app;
GRANT SELECT ON payment_methods TO bursar_backup;

ALTER TABLE customers ADD COLUMN method_id uuid,
ADD FOREIGN KEY (org_id, method_id) REFERENCES payment_methods ON DELETE RESTRICT;
