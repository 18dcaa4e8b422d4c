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

-- Which periods of a charge are covered, by which invoice. A charge is the subscription's own fee (a
-- meter of zeros) or one meter. Each period but the first begins where another one of its charge ends,
-- and none begins twice, so the periods of a charge are one chain: no overlap, no gap, whoever writes
-- them. Voiding an invoice releases its periods: they carry the invoice's id, and make room for others.
CREATE TABLE billed_periods (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    start_at timestamptz NOT NULL,
    release_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    end_at timestamptz NOT NULL,
    -- What the period before carries as its release; null for the first one of a charge.
    follows_id uuid,
    kind text NOT NULL CHECK (kind IN ('fee', 'usage', 'trial', 'pause')),
    price_id uuid,
    quantity bigint NOT NULL CHECK (quantity >= 0),
    amount_minor bigint NOT NULL,
    invoice_id uuid,
    -- Until when usage of it was known to the invoice, on the wall clock.
    known_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, subscription_id, meter_id, start_at, release_id),
    CONSTRAINT billed_to_one_end UNIQUE (org_id, subscription_id, meter_id, end_at, release_id),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, price_id) REFERENCES prices ON DELETE RESTRICT,
    CONSTRAINT billed_in_a_chain FOREIGN KEY (org_id, subscription_id, meter_id, start_at, follows_id)
    REFERENCES billed_periods (org_id, subscription_id, meter_id, end_at, release_id)
    ON UPDATE CASCADE ON DELETE RESTRICT,
    CONSTRAINT period_has_length CHECK (start_at < end_at),
    CONSTRAINT nothing_is_for_nothing CHECK (
        (kind IN ('fee', 'usage')) = (price_id IS NOT NULL) AND (price_id IS NOT NULL OR amount_minor = 0)
    )
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX billed_from_one_start ON billed_periods (org_id, subscription_id, meter_id)
WHERE follows_id IS NULL AND release_id = '00000000-0000-0000-0000-000000000000';
CREATE INDEX billed_periods_by_invoice ON billed_periods (org_id, invoice_id) WHERE invoice_id IS NOT NULL;

CALL sec.isolate('billed_periods');
GRANT SELECT, INSERT, UPDATE ON billed_periods TO bursar_app;
GRANT SELECT ON billed_periods TO bursar_backup;

-- Billing of an organization: drafts wait so long before they are final, whether invoices over nothing
-- are made, and whether subscriptions of a customer that are due together share one invoice.
ALTER TABLE organizations
ADD COLUMN invoice_grace_hours integer NOT NULL DEFAULT 0 CHECK (invoice_grace_hours BETWEEN 0 AND 720),
ADD COLUMN has_zero_invoices boolean NOT NULL DEFAULT true,
ADD COLUMN has_consolidated_invoices boolean NOT NULL DEFAULT false;

-- What is due to be billed: how much, and since when, over all organizations or in one.
CREATE FUNCTION sec.billing_backlog(p_org uuid)
RETURNS TABLE (due bigint, oldest_seconds double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*), coalesce(extract(epoch FROM max(now() - d.due_at)), 0)::double precision FROM (
        SELECT a.due_at FROM public.agenda AS a
        LEFT JOIN public.test_clocks AS c ON c.org_id = a.org_id
        WHERE a.kind = 'bill_subscription' AND (p_org IS NULL OR a.org_id = p_org)
            AND a.due_at <= coalesce(c.now_at, now())
        LIMIT 1000000
    ) AS d
$$;
REVOKE ALL ON FUNCTION sec.billing_backlog(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.billing_backlog(uuid) TO bursar_app;

-- What of an organization is due to be billed, the earliest first.
CREATE INDEX agenda_looks ON agenda (org_id, due_at) WHERE kind = 'bill_subscription';
