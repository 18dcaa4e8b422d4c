-- The billing run and its roll-ups.
SELECT 1;
