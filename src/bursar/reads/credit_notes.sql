-- name: credit_note
-- One note of the bound organization.
SELECT * FROM credit_notes WHERE org_id = $1 AND id = $2;

-- name: credit_note_lines
-- The lines of some notes, in their order.
SELECT * FROM credit_note_lines WHERE org_id = $1 AND credit_note_id = ANY($2::uuid[])
ORDER BY credit_note_id, position;

-- name: credit_notes
-- A window on the notes, newest first; each filter may be absent.
SELECT * FROM credit_notes
WHERE
    org_id = $1 AND ($2::uuid IS NULL OR id < $2)
    AND ($5::uuid IS NULL OR invoice_id = $5)
    AND ($6::uuid IS NULL OR customer_id = $6)
ORDER BY id DESC LIMIT $3 OFFSET $4;

-- name: count_credit_notes
-- How many notes the same filters leave, counted up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM credit_notes
    WHERE
        org_id = $1
        AND ($3::uuid IS NULL OR invoice_id = $3)
        AND ($4::uuid IS NULL OR customer_id = $4)
    LIMIT $2
) AS counted;
