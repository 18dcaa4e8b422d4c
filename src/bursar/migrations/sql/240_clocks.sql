-- Test clocks and analytics.
SELECT 1;
