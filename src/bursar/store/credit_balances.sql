-- name: credit_balance
-- What a strict account of a customer keeps now.
SELECT balance_minor FROM ledger_accounts WHERE org_id = $1 AND code = $2 AND currency = $3;

-- name: codes_with_credit
-- Which of some strict accounts of customers keep anything now.
SELECT code FROM ledger_accounts
WHERE org_id = $1 AND code = ANY((SELECT $2::text[])::text[]) AND balance_minor > 0;
