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
