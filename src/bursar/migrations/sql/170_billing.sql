-- The billing run and its roll-ups.

-- What a document says beyond its lines: what it bills and why, what was taken off, which taxes lie on
-- it, and what was taken back of it since. Included tax is a part of the lines, excess is what a
-- negative sum gives back to the customer's credit; credited is what credit notes took off the due.
ALTER TABLE invoices
ADD COLUMN subscription_id uuid,
ADD COLUMN billing_reason text NOT NULL DEFAULT 'manual' CHECK (
    billing_reason IN (
        'manual', 'subscription_create', 'subscription_cycle', 'subscription_update', 'recurring'
    )
),
ADD COLUMN period_start_at timestamptz,
ADD COLUMN period_end_at timestamptz,
ADD COLUMN discounts jsonb NOT NULL DEFAULT '[]',
ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]',
ADD COLUMN tax_included_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN excess_minor bigint NOT NULL DEFAULT 0 CHECK (excess_minor >= 0),
ADD COLUMN credited_minor bigint NOT NULL DEFAULT 0 CHECK (credited_minor >= 0),
ADD COLUMN noted_minor bigint NOT NULL DEFAULT 0 CHECK (noted_minor >= credited_minor),
ADD FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
ADD CONSTRAINT period_has_length CHECK (
    (period_start_at IS NULL) = (period_end_at IS NULL) AND period_start_at < period_end_at
),
ADD CONSTRAINT noted_within_total CHECK (noted_minor <= total_minor),
DROP CONSTRAINT invoice_adds_up,
ADD CONSTRAINT invoice_adds_up CHECK (
    total_minor = subtotal_minor - discount_minor + tax_minor - tax_included_minor + excess_minor
    AND (excess_minor = 0 OR total_minor = 0)
),
DROP CONSTRAINT invoice_amounts,
ADD CONSTRAINT invoice_amounts CHECK (
    total_minor BETWEEN 0 AND 9007199254740991 AND paid_minor >= 0
    AND paid_minor + credited_minor <= total_minor
),
DROP CONSTRAINT paid_in_full,
ADD CONSTRAINT paid_in_full CHECK (
    (status = 'paid') = (paid_minor + credited_minor = total_minor AND paid_at IS NOT NULL)
);
CREATE INDEX invoices_by_subscription ON invoices (org_id, subscription_id, id)
WHERE subscription_id IS NOT NULL;

-- An amount may be negative: what was prorated goes back. The derivation is how it came about.
ALTER TABLE invoice_lines
DROP CONSTRAINT invoice_lines_type_check,
ADD CONSTRAINT invoice_lines_type_check CHECK (
    type IN ('manual', 'subscription', 'usage', 'proration', 'adjustment')
),
ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN tax_included_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN discounts jsonb NOT NULL DEFAULT '[]',
ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]',
ADD COLUMN subscription_id uuid,
ADD COLUMN period_start_at timestamptz,
ADD COLUMN period_end_at timestamptz,
ADD COLUMN derivation jsonb,
ADD FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
ADD CONSTRAINT period_has_length CHECK (
    (period_start_at IS NULL) = (period_end_at IS NULL) AND period_start_at < period_end_at
);
