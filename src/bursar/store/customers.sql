-- name: lock_customer
-- The first statement of every money verb: whoever holds this row is alone with the customer.
SELECT * FROM customers WHERE org_id = $1 AND id = $2 FOR NO KEY UPDATE;

-- name: get_buyers
-- What a new document takes from its customer, under a mark that only this state of the row has.
SELECT id, currency, tax_treatment, concat_ws(' ', id, xmin) AS mark FROM customers
WHERE org_id = $1 AND id = ANY((SELECT $2::uuid[])::uuid[]) AND deleted_at IS NULL;

-- name: lock_through_invoice
-- Finds and locks the customer of an invoice in one statement.
SELECT c.id FROM customers AS c
JOIN invoices AS i ON i.org_id = c.org_id AND i.customer_id = c.id
WHERE i.org_id = $1 AND i.id = $2
FOR NO KEY UPDATE OF c;

-- name: lock_through_invoices
-- Finds and locks the customers of invoices; everybody who waits for several does so in this order.
SELECT c.id FROM customers AS c
WHERE
    c.org_id = $1
    AND c.id = ANY(
        ARRAY(
            SELECT i.customer_id FROM invoices AS i
            WHERE i.org_id = $1 AND i.id = ANY((SELECT $2::uuid[])::uuid[])
        )
    )
ORDER BY c.id
FOR NO KEY UPDATE OF c;

-- name: lock_through_recurring_invoice
-- Finds and locks the customer of a template in one statement.
SELECT c.id FROM customers AS c
JOIN recurring_invoices AS r ON r.org_id = c.org_id AND r.customer_id = c.id
WHERE r.org_id = $1 AND r.id = $2
FOR NO KEY UPDATE OF c;

-- name: lock_through_payment
-- Finds and locks the customer of a payment in one statement.
SELECT c.id FROM customers AS c
JOIN payments AS p ON p.org_id = c.org_id AND p.customer_id = c.id
WHERE p.org_id = $1 AND p.id = $2
FOR NO KEY UPDATE OF c;

-- name: lock_through_refund
-- Finds and locks the customer of a refund in one statement, if it has one.
SELECT c.id FROM customers AS c
JOIN refunds AS r ON r.org_id = c.org_id AND r.customer_id = c.id
WHERE r.org_id = $1 AND r.id = $2
FOR NO KEY UPDATE OF c;

-- name: lock_through_wallet
-- Finds and locks the customer of a wallet in one statement, if it has one.
SELECT c.id FROM customers AS c
JOIN wallets AS w ON w.org_id = c.org_id AND w.customer_id = c.id
WHERE w.org_id = $1 AND w.id = $2
FOR NO KEY UPDATE OF c;

-- name: lock_through_subscription
-- Finds and locks the customer of a subscription in one statement.
SELECT c.id FROM customers AS c
JOIN subscriptions AS s ON s.org_id = c.org_id AND s.customer_id = c.id
WHERE s.org_id = $1 AND s.id = $2
FOR NO KEY UPDATE OF c;

-- name: insert_customer
-- A new customer of the bound organization.
INSERT INTO customers (
    org_id, id, email, name, currency, tax_id, address, metadata, provider_reference,
    method_reference, deleted_at, version, sequence, created_at, updated_at, tax_treatment,
    erased_at, method_id
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: update_customer
-- Replaces exactly the version before.
UPDATE customers SET
    email = $3, name = $4, currency = $5, tax_id = $6, address = $7, metadata = $8,
    provider_reference = $9, method_reference = $10, deleted_at = $11, version = $12,
    sequence = $13, updated_at = $15, tax_treatment = $16, erased_at = $17, method_id = $18
WHERE org_id = $1 AND id = $2 AND version = $12 - 1 AND created_at = $14;

-- name: count_open_invoices
-- How many documents still bind the customer.
SELECT count(*) FROM invoices
WHERE org_id = $1 AND customer_id = $2 AND status IN ('draft', 'open');

-- name: forget_customer
-- Takes out what the log, mails and answers of endpoints say of a customer; how many said it.
SELECT events, mails, answers FROM sec.forget_customer($1);

-- name: forget_reference
-- An imported customer is no longer known by the name they came under.
DELETE FROM imported_customers WHERE org_id = $1 AND customer_id = $2;

-- name: forget_former_buyer
-- Nothing says any more what an erased customer was called on documents.
DELETE FROM former_parties WHERE org_id = $1 AND kind = 'buyer' AND subject_id = $2;

-- name: count_documents
-- How many invoices with a number the customer has, and credit notes on them.
SELECT count(i.id) + coalesce(sum(n.count), 0)::bigint FROM invoices AS i
LEFT JOIN LATERAL (
    SELECT count(*) AS count FROM credit_notes AS c WHERE c.org_id = $1 AND c.invoice_id = i.id
) AS n ON true
WHERE i.org_id = $1 AND i.customer_id = $2 AND i.finalized_at IS NOT NULL;
