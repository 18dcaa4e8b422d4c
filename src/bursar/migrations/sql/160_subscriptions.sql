-- Subscriptions, coupons and billed periods.
SELECT 1;
