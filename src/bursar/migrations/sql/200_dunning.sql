-- Other ways to pay: what an accountant recorded, and the credit balance.

ALTER TABLE organizations
ADD COLUMN is_credit_applied boolean NOT NULL DEFAULT true;

-- What of a payment became the customer's credit; all of it, where the mark that was before stood.
ALTER TABLE payments
ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN receipt_method text CHECK (receipt_method IN ('bank_transfer', 'check', 'cash', 'other')),
ADD COLUMN received_at timestamptz,
ADD COLUMN receipt_reference text,
DROP CONSTRAINT payments_mode_check,
ADD CONSTRAINT payments_mode_check CHECK (mode IN ('checkout', 'charge', 'wallet', 'manual', 'credit'));

ALTER TABLE payments NO FORCE ROW LEVEL SECURITY;
UPDATE payments SET credited_minor = amount_minor WHERE is_credited;
ALTER TABLE payments FORCE ROW LEVEL SECURITY;

ALTER TABLE payments
DROP COLUMN is_credited,
ALTER COLUMN credited_minor DROP DEFAULT,
ADD CONSTRAINT credited_of_the_amount CHECK (credited_minor BETWEEN 0 AND amount_minor),
ADD CONSTRAINT recorded_by_hand CHECK (
    (mode = 'manual') = (receipt_method IS NOT NULL AND received_at IS NOT NULL)
    AND (mode = 'manual' OR receipt_reference IS NULL)
);

-- What is done when an automatic payment fails; without a policy of its own, what the installation does.
ALTER TABLE organizations ADD COLUMN dunning jsonb;

-- One case for each invoice, with the policy as it was when it began.
CREATE TABLE dunning_cases (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid,
    policy jsonb NOT NULL,
    step integer NOT NULL CHECK (step >= 0),
    retry_count integer NOT NULL CHECK (retry_count >= 0),
    current_action text NOT NULL CHECK (
        current_action IN ('retry', 'notify', 'pause', 'cancel', 'mark_uncollectible')
    ),
    next_at timestamptz,
    decline_kind text CHECK (decline_kind IN ('retry', 'new_method', 'authentication', 'never')),
    decline_code text,
    blocked_method text,
    rested_at timestamptz,
    paused_at timestamptz,
    pause_reason text,
    resolved_at timestamptz,
    resolution text CHECK (resolution IN ('paid', 'voided', 'uncollectible', 'by_hand', 'exhausted')),
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, invoice_id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    CONSTRAINT resolved_when_over CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CONSTRAINT waits_until_over CHECK ((next_at IS NULL) = (resolved_at IS NOT NULL)),
    CONSTRAINT paused_for_a_reason CHECK ((paused_at IS NULL) = (pause_reason IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX dunning_by_customer ON dunning_cases (org_id, customer_id) WHERE resolved_at IS NULL;
CREATE INDEX dunning_by_subscription ON dunning_cases (org_id, subscription_id);

CALL sec.isolate('dunning_cases');
GRANT SELECT, INSERT, UPDATE ON dunning_cases TO bursar_app;
GRANT SELECT ON dunning_cases TO bursar_backup;
