-- Mail on its way out. A mail belongs to the organization that sends it or, when it is about a
-- person's own account, to that person: org_id is the scope its transaction was bound to, as it is
-- for idempotency keys, so row-level security needs no exception for people.

CREATE TABLE mails (
    org_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    language text NOT NULL,
    recipient text NOT NULL CHECK (length(recipient) <= 254),
    -- What the template is filled with, tokens among it; forgotten once the mail has left.
    parameters_sealed bytea,
    status text NOT NULL CHECK (status IN ('pending', 'sent', 'kept', 'failed')),
    attempt_count integer NOT NULL DEFAULT 0,
    transport text,
    reference text,
    failure text CHECK (length(failure) <= 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    PRIMARY KEY (org_id, id),
    CONSTRAINT settled_unless_pending CHECK ((status = 'pending') = (settled_at IS NULL)),
    CONSTRAINT sent_is_forgotten CHECK (status <> 'sent' OR parameters_sealed IS NULL)
) WITH (fillfactor = 70);
CALL sec.isolate('mails');
GRANT SELECT, INSERT, UPDATE ON mails TO bursar_app;
GRANT SELECT ON mails TO bursar_backup;
