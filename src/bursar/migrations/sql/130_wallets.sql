-- Wallets, holds and movements of stored value.
SELECT 1;
