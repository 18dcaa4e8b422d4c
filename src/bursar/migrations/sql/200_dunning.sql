-- Dunning: what is done when a payment fails.
SELECT 1;
