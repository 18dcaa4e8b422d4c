-- Refunds, disputes and what the processor paid out.
SELECT 1;
