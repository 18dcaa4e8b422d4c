-- Subscriptions, coupons and billed periods.

CREATE TABLE subscriptions (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan_id uuid NOT NULL,
    plan_version integer NOT NULL,
    status text NOT NULL CHECK (status IN ('trialing', 'active', 'past_due', 'paused', 'canceled')),
    quantity bigint NOT NULL CHECK (quantity > 0),
    agreed_since_at timestamptz NOT NULL,
    anchor_day integer NOT NULL CHECK (anchor_day BETWEEN 1 AND 28),
    anchored_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    -- By what the rest of the current period is charged; nothing in a trial and in a pause.
    charged_plan_id uuid,
    charged_plan_version integer,
    charged_quantity bigint CHECK (charged_quantity > 0),
    -- What is agreed to from the next period on, if that is something else.
    scheduled_plan_id uuid,
    scheduled_plan_version integer,
    scheduled_quantity bigint CHECK (scheduled_quantity > 0),
    -- The coupons it was given, in order, each with the start of the first period it is for.
    coupons jsonb NOT NULL,
    trial_end_at timestamptz,
    cancel_at_period_end boolean NOT NULL,
    cancel_reason text,
    canceled_at timestamptz,
    paused_at timestamptz,
    ended_at timestamptz,
    metadata jsonb NOT NULL,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    FOREIGN KEY (org_id, plan_id, plan_version) REFERENCES plan_versions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, charged_plan_id, charged_plan_version)
    REFERENCES plan_versions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, scheduled_plan_id, scheduled_plan_version)
    REFERENCES plan_versions ON DELETE RESTRICT,
    CONSTRAINT charged_whole CHECK (
        num_nulls(charged_plan_id, charged_plan_version, charged_quantity) IN (0, 3)
    ),
    CONSTRAINT scheduled_whole CHECK (
        num_nulls(scheduled_plan_id, scheduled_plan_version, scheduled_quantity) IN (0, 3)
    ),
    CONSTRAINT period_has_length CHECK (period_start_at < period_end_at),
    CONSTRAINT ended_when_canceled CHECK ((status = 'canceled') = (ended_at IS NOT NULL)),
    CONSTRAINT paused_when_so CHECK ((status = 'paused') = (paused_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX subscriptions_by_customer ON subscriptions (org_id, customer_id, status);
CREATE INDEX subscriptions_by_plan ON subscriptions (org_id, plan_id, plan_version);
-- A customer subscribes to a plan once at a time.
CREATE UNIQUE INDEX one_running_subscription ON subscriptions (org_id, customer_id, plan_id)
WHERE status <> 'canceled';

CALL sec.isolate('subscriptions');
GRANT SELECT, INSERT, UPDATE ON subscriptions TO bursar_app;
GRANT SELECT ON subscriptions TO bursar_backup;

-- What a subscription agreed to, from when on: usage of a day is priced by what held at its end.
CREATE TABLE subscription_terms (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    since_at timestamptz NOT NULL,
    plan_id uuid NOT NULL,
    plan_version integer NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (org_id, subscription_id, since_at),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, plan_id, plan_version) REFERENCES plan_versions ON DELETE RESTRICT
);
CALL sec.isolate('subscription_terms');
GRANT SELECT, INSERT, UPDATE ON subscription_terms TO bursar_app;
GRANT SELECT ON subscription_terms TO bursar_backup;

-- What the steps of subscriptions cost or give back, until an invoice takes it up. A line is in one
-- invoice or in none, and it leaves the table only when its subscription never began.
CREATE TABLE pending_lines (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('subscription', 'proration', 'adjustment')),
    description text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity >= 0),
    unit_amount numeric NOT NULL,
    amount_minor bigint NOT NULL,
    currency char(3) NOT NULL,
    price_id uuid NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    is_discountable boolean NOT NULL,
    due_at timestamptz NOT NULL,
    derivation jsonb NOT NULL,
    invoice_id uuid,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, customer_id) REFERENCES customers ON DELETE RESTRICT,
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, price_id) REFERENCES prices ON DELETE RESTRICT,
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT,
    CONSTRAINT period_has_length CHECK (period_start_at < period_end_at)
);
CREATE INDEX pending_lines_by_subscription ON pending_lines (org_id, subscription_id, id);
CREATE INDEX pending_lines_waiting ON pending_lines (org_id, subscription_id, due_at)
WHERE invoice_id IS NULL;
CREATE INDEX pending_lines_by_invoice ON pending_lines (org_id, invoice_id)
WHERE invoice_id IS NOT NULL;
CALL sec.isolate('pending_lines');
GRANT SELECT, INSERT, UPDATE, DELETE ON pending_lines TO bursar_app;
GRANT SELECT ON pending_lines TO bursar_backup;

-- Every usage event ever reported, by its own key: told twice it counts once, for ever. Spread by
-- that key and never by time, since the promise has no end. A meter of zeros: counted, not billed.
CREATE TABLE usage_events (
    org_id uuid NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL CHECK (length(idempotency_key) <= 255),
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    quantity bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    day date NOT NULL,
    properties jsonb NOT NULL,
    value bigint NOT NULL,
    distinct_value text,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, idempotency_key)
) PARTITION BY HASH (org_id, idempotency_key);
CREATE INDEX usage_events_of_subscription ON usage_events (org_id, subscription_id, occurred_at);

-- What the events of a civil day add up to; billing and summaries read this and never the events.
-- A day changes as long as events come; is_settled says that an invoice knows all of it, so a day
-- that changes after its period was billed is found by the next invoice and adjusted.
CREATE TABLE usage_days (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    day date NOT NULL,
    event_count bigint NOT NULL,
    total numeric NOT NULL,
    greatest bigint NOT NULL,
    latest bigint NOT NULL,
    latest_at timestamptz NOT NULL,
    latest_key text COLLATE "C" NOT NULL,
    is_settled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (org_id, subscription_id, meter_id, day),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT
) WITH (fillfactor = 70);
CREATE INDEX usage_days_unsettled ON usage_days (org_id, subscription_id, day) WHERE NOT is_settled;

-- The different values of a day, for meters that count those.
CREATE TABLE usage_values (
    org_id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    day date NOT NULL,
    value text COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, subscription_id, meter_id, day, value),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT
);

-- A threshold of a meter that was reached: once for each period.
CREATE TABLE usage_aggregates (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    subscription_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    period_start_at timestamptz NOT NULL,
    period_end_at timestamptz NOT NULL,
    threshold bigint NOT NULL,
    quantity bigint NOT NULL CHECK (quantity >= threshold),
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, subscription_id, meter_id, period_start_at, threshold),
    FOREIGN KEY (org_id, subscription_id) REFERENCES subscriptions ON DELETE RESTRICT,
    FOREIGN KEY (org_id, meter_id) REFERENCES meters ON DELETE RESTRICT
);

CALL sec.isolate('usage_events');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON usage_events
FOR EACH STATEMENT EXECUTE FUNCTION sec.refuse_change();
CALL sec.isolate('usage_days');
CALL sec.isolate('usage_values');
CALL sec.isolate('usage_aggregates');

DO $$
BEGIN
    FOR remainder IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE usage_events_%s PARTITION OF usage_events FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            to_char(remainder, 'FM00'), remainder
        );
        EXECUTE format('CALL sec.guard_partition(%L)', 'usage_events_' || to_char(remainder, 'FM00'));
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE ON usage_days TO bursar_app;
GRANT SELECT, INSERT ON usage_events, usage_values, usage_aggregates TO bursar_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bursar_backup;

CREATE TABLE coupons (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE RESTRICT,
    id uuid NOT NULL,
    name text NOT NULL,
    percent_off numeric CHECK (percent_off > 0 AND percent_off <= 100),
    amount_off_minor bigint CHECK (amount_off_minor > 0),
    currency char(3),
    duration text NOT NULL CHECK (duration IN ('once', 'repeating', 'forever')),
    months integer CHECK (months > 0),
    status text NOT NULL CHECK (status IN ('active', 'archived')),
    metadata jsonb NOT NULL,
    archived_at timestamptz,
    version integer NOT NULL,
    sequence integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, id),
    CONSTRAINT percentage_or_amount CHECK ((percent_off IS NULL) <> (amount_off_minor IS NULL)),
    CONSTRAINT amount_has_currency CHECK ((amount_off_minor IS NULL) = (currency IS NULL)),
    CONSTRAINT repeats_for_months CHECK ((duration = 'repeating') = (months IS NOT NULL)),
    CONSTRAINT archived_when CHECK ((status = 'archived') = (archived_at IS NOT NULL))
);
CALL sec.isolate('coupons');
GRANT SELECT, INSERT, UPDATE ON coupons TO bursar_app;
GRANT SELECT ON coupons TO bursar_backup;
