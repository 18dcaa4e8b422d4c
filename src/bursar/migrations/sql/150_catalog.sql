-- Plans, prices, meters and usage.

CREATE TABLE meters (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    name text NOT NULL,
    key text NOT NULL,
    aggregation text NOT NULL CHECK (aggregation IN ('sum', 'count', 'max', 'unique', 'latest')),
    property_name text,
    thresholds bigint[] NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, key)
);

CREATE TABLE plans (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    name text NOT NULL,
    description text,
    status text NOT NULL CHECK (status IN ('active', 'archived')),
    currency char(3) NOT NULL,
    billing_interval text NOT NULL CHECK (billing_interval IN ('month', 'year')),
    trial_days integer NOT NULL CHECK (trial_days >= 0),
    price_version integer NOT NULL CHECK (price_version > 0),
    metadata jsonb NOT NULL,
    archived_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT archived_when CHECK ((status = 'archived') = (archived_at IS NOT NULL))
);

-- A version of a plan's prices is never changed: running subscriptions were promised it.
CREATE TABLE plan_versions (
    org_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, plan_id, number),
    FOREIGN KEY (org_id, plan_id) REFERENCES plans ON DELETE RESTRICT
);

-- The first price of a version is the plan's own; the others are metered charges on top of it.
CREATE TABLE prices (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    plan_id uuid NOT NULL,
    plan_version integer NOT NULL,
    position integer NOT NULL CHECK (position > 0),
    name text,
    meter_id uuid,
    pricing_model text NOT NULL CHECK (
        pricing_model IN ('flat_rate', 'per_unit', 'graduated', 'volume', 'package')
    ),
    billing_interval text NOT NULL CHECK (billing_interval IN ('month', 'year')),
    unit_amount numeric CHECK (unit_amount >= 0),
    package_size bigint CHECK (package_size > 0),
    tiers jsonb NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, plan_id, plan_version, position),
    FOREIGN KEY (org_id, plan_id, plan_version) REFERENCES plan_versions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, meter_id) REFERENCES meters ON DELETE RESTRICT,
    CONSTRAINT priced_by_unit_or_tiers CHECK (
        (unit_amount IS NULL) = (pricing_model IN ('graduated', 'volume'))
    ),
    CONSTRAINT charges_are_metered CHECK (position = 1 OR meter_id IS NOT NULL)
);

CALL sec.isolate('meters');
CALL sec.isolate('plans');
CALL sec.isolate('plan_versions');
CALL sec.isolate('prices');

GRANT SELECT, INSERT, UPDATE ON plans TO bursar_app;
GRANT SELECT, INSERT ON meters, plan_versions, prices TO bursar_app;
GRANT SELECT ON meters, plans, plan_versions, prices TO bursar_backup;
