-- name: keep_print
-- One print of each document, the last one made; none of whoever was erased, or just is.
INSERT INTO prints (org_id, subject_id, invoice_id, fingerprint, sha256, body_boxed)
SELECT i.org_id, $2, i.id, $4, $5, $6
FROM invoices AS i
JOIN customers AS c ON c.org_id = i.org_id AND c.id = i.customer_id
WHERE i.org_id = $1 AND i.id = $3 AND c.erased_at IS NULL
FOR SHARE OF c
ON CONFLICT (org_id, subject_id) DO UPDATE SET
    fingerprint = excluded.fingerprint, sha256 = excluded.sha256, body_boxed = excluded.body_boxed,
    made_at = now();

-- name: forget_prints
-- The prints of all documents of a customer go.
DELETE FROM prints AS p USING invoices AS i
WHERE p.org_id = $1 AND i.org_id = $1 AND i.customer_id = $2 AND p.invoice_id = i.id;
