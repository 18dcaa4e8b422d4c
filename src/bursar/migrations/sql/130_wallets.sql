-- Wallets and holds: value that customers, members or the organization itself have stored with us.
--
-- What a wallet has is kept by its strict ledger account and by nothing else: the balance, what is held of
-- it, and whether it is closed. So every statement that moves money is checked there, whoever sends it, and
-- no lock on the wallet's own row is needed to move any.

ALTER TABLE ledger_accounts
ADD COLUMN held_minor bigint NOT NULL DEFAULT 0,
ADD COLUMN closed_at timestamptz,
ADD CONSTRAINT held_of_a_balance CHECK (held_minor = 0 OR (held_minor > 0 AND balance_minor IS NOT NULL)),
-- What is available never falls below the floor: checked by the statement that changes either part.
ADD CONSTRAINT available_above_floor CHECK (balance_minor - held_minor >= floor_minor),
ADD CONSTRAINT balance_is_exact CHECK (balance_minor <= 9007199254740991),
-- A closed account takes nothing in: a credit that meets a closing loses, in whatever order they come.
ADD CONSTRAINT closed_is_empty CHECK (closed_at IS NULL OR (balance_minor = 0 AND held_minor = 0));

CREATE TABLE wallets (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    -- Whose it is: a customer's, a member's, or with neither the organization's own.
    customer_id uuid,
    user_id uuid,
    name text NOT NULL,
    currency char(3) NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'closed')),
    -- In sandbox organizations: what becomes of a transfer's credit to this wallet.
    provoke_credit text NOT NULL CHECK (provoke_credit IN ('none', 'refuse', 'time_out')),
    transfer_limit_minor bigint CHECK (transfer_limit_minor > 0),
    daily_limit_minor bigint CHECK (daily_limit_minor > 0),
    metadata jsonb NOT NULL,
    closed_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, account_id) REFERENCES ledger_accounts (org_id, id) ON DELETE RESTRICT,
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    UNIQUE (org_id, account_id),
    -- A person has one wallet in an organization.
    UNIQUE (org_id, user_id),
    CONSTRAINT one_owner CHECK (customer_id IS NULL OR user_id IS NULL),
    CONSTRAINT closed_when_over CHECK ((closed_at IS NULL) = (status = 'open'))
) WITH (fillfactor = 80);
CREATE INDEX wallets_by_customer ON wallets (org_id, customer_id, id) WHERE customer_id IS NOT NULL;

-- Money set aside: it lowers what is available, and books nothing until it is captured.
CREATE TABLE holds (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'captured', 'released', 'expired')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    captured_minor bigint NOT NULL CHECK (captured_minor BETWEEN 0 AND amount_minor),
    currency char(3) NOT NULL,
    description text,
    metadata jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, wallet_id) REFERENCES wallets ON DELETE RESTRICT,
    CONSTRAINT settled_when_over CHECK ((settled_at IS NULL) = (status = 'open')),
    CONSTRAINT captured_when_so CHECK ((captured_minor > 0) = (status = 'captured'))
) WITH (fillfactor = 80);
CREATE INDEX holds_by_wallet ON holds (org_id, wallet_id, id);

-- A payment collects an invoice or fills a wallet; and an invoice may be paid from a wallet.
ALTER TABLE payments
ALTER COLUMN invoice_id DROP NOT NULL,
ALTER COLUMN customer_id DROP NOT NULL,
ADD COLUMN purpose text NOT NULL DEFAULT 'invoice' CHECK (purpose IN ('invoice', 'wallet_deposit')),
ADD COLUMN wallet_id uuid,
ADD CONSTRAINT payments_wallet_fkey FOREIGN KEY (org_id, wallet_id) REFERENCES wallets ON DELETE RESTRICT,
DROP CONSTRAINT payments_mode_check,
ADD CONSTRAINT payments_mode_check CHECK (mode IN ('checkout', 'charge', 'wallet')),
ADD CONSTRAINT pays_for_its_purpose CHECK (
    CASE purpose
        WHEN 'invoice'
            THEN invoice_id IS NOT NULL AND customer_id IS NOT NULL
            AND (wallet_id IS NOT NULL) = (mode = 'wallet')
        ELSE invoice_id IS NULL AND wallet_id IS NOT NULL AND mode <> 'wallet'
    END
);
CREATE INDEX payments_by_wallet ON payments (org_id, wallet_id, id) WHERE wallet_id IS NOT NULL;

CALL sec.isolate('wallets');
CALL sec.isolate('holds');
GRANT SELECT, INSERT, UPDATE ON wallets, holds TO bursar_app;
GRANT SELECT ON wallets, holds TO bursar_backup;
