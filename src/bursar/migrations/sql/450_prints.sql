-- The last print of each final invoice and credit note, by the digest of its bytes. It is good for as
-- long as the document says what it said, which its fingerprint tells. The link to pay is in it, and
-- no link is ever stored in the clear: the bytes are encrypted.
CREATE TABLE prints (
    org_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    body_boxed bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, subject_id),
    FOREIGN KEY (org_id, invoice_id) REFERENCES invoices ON DELETE RESTRICT
);
-- A PDF is compressed already.
ALTER TABLE prints ALTER COLUMN body_boxed SET STORAGE EXTERNAL;
CREATE INDEX prints_by_invoice ON prints (org_id, invoice_id);
CALL sec.isolate('prints');
GRANT SELECT, INSERT, UPDATE, DELETE ON prints TO bursar_app;
GRANT SELECT ON prints TO bursar_backup;

-- How far the log has been read for invoices to print.
CREATE TABLE sec.print_cursor (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    transaction_id xid8 NOT NULL,
    event_id uuid NOT NULL
);
INSERT INTO sec.print_cursor (transaction_id, event_id)
SELECT c.transaction_id, c.event_id FROM sec.relay_cursor AS c;

-- Invoices that became final in the next stretch of what the relay has read, so many of each
-- organization at most; those beyond are printed when they are asked for. Nothing while the queue has
-- work: printing ahead waits for everything else. Moves the cursor in the same transaction.
CREATE FUNCTION sec.finals_to_print(p_stretch integer, p_each integer)
RETURNS TABLE (org_id uuid, invoice_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    reached sec.print_cursor;
    relayed sec.relay_cursor;
    last record;
BEGIN
    SELECT * INTO reached FROM sec.print_cursor FOR UPDATE SKIP LOCKED;
    IF NOT FOUND OR EXISTS (
        SELECT 1 FROM queue.pgqueuer AS j
        WHERE j.entrypoint = 'invoices' AND j.status = 'queued' AND j.execute_after <= now()
    ) THEN
        RETURN;
    END IF;
    SELECT * INTO relayed FROM sec.relay_cursor;
    SELECT f.transaction_id, f.id INTO last FROM (
        SELECT e.transaction_id, e.id FROM public.events AS e
        WHERE (e.transaction_id, e.id) > (reached.transaction_id, reached.event_id)
            AND (e.transaction_id, e.id) <= (relayed.transaction_id, relayed.event_id)
        ORDER BY e.transaction_id, e.id LIMIT p_stretch
    ) AS f
    ORDER BY f.transaction_id DESC, f.id DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE sec.print_cursor SET transaction_id = last.transaction_id, event_id = last.id;
    RETURN QUERY
    SELECT r.org_id, r.resource_id FROM (
        SELECT
            e.org_id, e.resource_id,
            row_number() OVER (PARTITION BY e.org_id ORDER BY e.transaction_id, e.id) AS place
        FROM public.events AS e
        WHERE e.type = 'invoice.finalized'
            AND (e.transaction_id, e.id) > (reached.transaction_id, reached.event_id)
            AND (e.transaction_id, e.id) <= (last.transaction_id, last.id)
    ) AS r
    WHERE r.place <= p_each;
END $$;
REVOKE ALL ON FUNCTION sec.finals_to_print(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sec.finals_to_print(integer, integer) TO bursar_app;
