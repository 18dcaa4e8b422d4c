-- Taxes, discounts and credit notes.
SELECT 1;
