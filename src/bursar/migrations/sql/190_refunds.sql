-- Refunds, disputes and what the processor paid out.

ALTER TABLE payments
ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN refunding_minor bigint NOT NULL DEFAULT 0,
-- What was given back and what refunds have reserved is never more than came, whoever writes.
ADD CONSTRAINT refunds_within_amount CHECK (
    refunded_minor >= 0 AND refunding_minor >= 0 AND refunded_minor + refunding_minor <= amount_minor
);

CREATE TABLE refunds (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid,
    customer_id uuid,
    status text NOT NULL CHECK (status IN ('pending', 'processing', 'succeeded', 'failed')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    -- What of it is taken from the customer's credit.
    credit_minor bigint NOT NULL CHECK (credit_minor BETWEEN 0 AND amount_minor),
    currency char(3) NOT NULL,
    reason text CHECK (length(reason) <= 500),
    provider text NOT NULL,
    provider_reference text,
    failure_code text CHECK (length(failure_code) <= 100),
    failure_message text CHECK (length(failure_message) <= 500),
    attempt_key text NOT NULL,
    watch_step integer NOT NULL,
    settled_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, payment_id) REFERENCES payments ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    -- A request that comes back finds the refund it began.
    UNIQUE (org_id, payment_id, attempt_key),
    UNIQUE (org_id, provider, provider_reference),
    CONSTRAINT refund_settled_when_over CHECK (
        (settled_at IS NOT NULL) = (status IN ('succeeded', 'failed'))
    ),
    CONSTRAINT sent_under_a_reference CHECK (
        provider IN ('wallet', 'manual', 'credit') OR status NOT IN ('processing', 'succeeded')
        OR provider_reference IS NOT NULL
    )
) WITH (fillfactor = 80);
CREATE INDEX refunds_by_customer ON refunds (org_id, customer_id, id);
CREATE INDEX refunds_by_invoice ON refunds (org_id, invoice_id, id);

CALL sec.isolate('refunds');
GRANT SELECT, INSERT, UPDATE ON refunds TO bursar_app;
GRANT SELECT ON refunds TO bursar_backup;

ALTER TABLE provider_events ADD COLUMN refund_id uuid;

-- A dispute names its charge by the provider's name and carries no mark of ours.
CREATE INDEX payments_by_reference ON payments (provider_reference) WHERE provider_reference IS NOT NULL;

CREATE FUNCTION sec.payment_of_reference(p_provider text, p_reference text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.id FROM public.payments AS p
    WHERE p.provider_reference = p_reference AND p.provider = p_provider
$$;
REVOKE ALL ON FUNCTION sec.payment_of_reference(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.payment_of_reference(text, text) TO bursar_app;

CREATE TABLE disputes (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    invoice_id uuid,
    customer_id uuid,
    status text NOT NULL CHECK (
        status IN (
            'warning_needs_response', 'warning_under_review', 'warning_closed', 'needs_response',
            'under_review', 'won', 'lost'
        )
    ),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    -- What the bank has of it now, and what the provider took for it.
    withdrawn_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    move_count integer NOT NULL,
    currency char(3) NOT NULL,
    reason text NOT NULL,
    provider text NOT NULL,
    provider_reference text NOT NULL,
    evidence_due_at timestamptz,
    reported_at timestamptz NOT NULL,
    closed_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, payment_id) REFERENCES payments ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    UNIQUE (org_id, provider, provider_reference),
    CONSTRAINT closed_when_decided CHECK (
        (closed_at IS NOT NULL) = (status IN ('warning_closed', 'won', 'lost'))
    )
) WITH (fillfactor = 80);
CREATE INDEX disputes_by_payment ON disputes (org_id, payment_id, id);

CALL sec.isolate('disputes');
GRANT SELECT, INSERT, UPDATE ON disputes TO bursar_app;
GRANT SELECT ON disputes TO bursar_backup;

-- What processors moved, as their own books have it: our side is compared with it, never made from it.
CREATE TABLE provider_moves (
    org_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('charge', 'refund', 'refund_failure', 'dispute', 'payout', 'other')),
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    source text NOT NULL,
    payment_id uuid NOT NULL,
    refund_id uuid,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, provider, reference),
    FOREIGN KEY (org_id, payment_id) REFERENCES payments ON DELETE RESTRICT
);
CREATE INDEX provider_moves_by_payment ON provider_moves (org_id, payment_id, kind);
CREATE INDEX provider_moves_by_time ON provider_moves (provider, occurred_at);

CALL sec.isolate('provider_moves');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_moves
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
GRANT SELECT, INSERT ON provider_moves TO bursar_app;
GRANT SELECT ON provider_moves TO bursar_backup;

-- How far a processor's books were read: its newest movement here, or the first payment it was asked for.
CREATE FUNCTION sec.books_read_until(p_provider text) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(
        (SELECT max(m.occurred_at) FROM public.provider_moves AS m WHERE m.provider = p_provider),
        (SELECT min(p.created_at) FROM public.payments AS p WHERE p.provider = p_provider)
    )
$$;
REVOKE ALL ON FUNCTION sec.books_read_until(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.books_read_until(text) TO bursar_app;
