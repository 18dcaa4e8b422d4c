-- Transfers between wallets and the complete ledger.
SELECT 1;
