-- name: credit_balance
-- What a strict account of a customer keeps now.
SELECT balance_minor FROM ledger_accounts WHERE org_id = $1 AND code = $2 AND currency = $3;
