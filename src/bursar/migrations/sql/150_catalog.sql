-- Plans, prices, meters and usage.
SELECT 1;
