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

-- What processors sent to the bank: of each payout, the share that an organization's movements make.
CREATE TABLE payouts (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    provider text NOT NULL,
    provider_reference text NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    move_count integer NOT NULL CHECK (move_count >= 0),
    failure_code text CHECK (length(failure_code) <= 100),
    sent_at timestamptz NOT NULL,
    arrives_at timestamptz NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, provider, provider_reference)
) WITH (fillfactor = 80);

CALL sec.isolate('payouts');
GRANT SELECT, INSERT, UPDATE ON payouts TO bursar_app;
GRANT SELECT ON payouts TO bursar_backup;

-- Which movements the processor lists in each payout: our side is compared with it.
CREATE TABLE payout_moves (
    org_id uuid NOT NULL,
    provider text NOT NULL,
    reference text NOT NULL,
    payout_reference text NOT NULL,
    PRIMARY KEY (org_id, provider, reference),
    FOREIGN KEY (org_id, provider, reference) REFERENCES provider_moves ON DELETE RESTRICT
);
CREATE INDEX payout_moves_by_payout ON payout_moves (org_id, provider, payout_reference);

CALL sec.isolate('payout_moves');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_moves
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
GRANT SELECT, INSERT ON payout_moves TO bursar_app;
GRANT SELECT ON payout_moves TO bursar_backup;

-- In which state each payout was last read for everybody: a payout's list may be long.
CREATE TABLE sec.payouts_read (
    provider text NOT NULL,
    reference text NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (provider, reference)
);

CREATE FUNCTION sec.payout_read(p_provider text, p_reference text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.status FROM sec.payouts_read AS r WHERE r.provider = p_provider AND r.reference = p_reference
$$;
REVOKE ALL ON FUNCTION sec.payout_read(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.payout_read(text, text) TO bursar_app;

CREATE FUNCTION sec.note_payout_read(p_provider text, p_reference text, p_status text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO sec.payouts_read (provider, reference, status) VALUES (p_provider, p_reference, p_status)
    ON CONFLICT (provider, reference) DO UPDATE SET status = excluded.status
$$;
REVOKE ALL ON FUNCTION sec.note_payout_read(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.note_payout_read(text, text, text) TO bursar_app;
