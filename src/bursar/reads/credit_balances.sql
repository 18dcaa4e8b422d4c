-- name: credit_of_customer
-- A customer who is not deleted, with what their strict credit account keeps.
SELECT c.currency, coalesce(a.balance_minor, 0) AS balance_minor
FROM customers AS c
LEFT JOIN ledger_accounts AS a
    ON a.org_id = c.org_id AND a.code = $3 AND a.currency = c.currency
WHERE c.org_id = $1 AND c.id = $2 AND c.deleted_at IS NULL;
