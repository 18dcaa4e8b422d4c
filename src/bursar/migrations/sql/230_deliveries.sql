-- Webhook deliveries and the audit log.
SELECT 1;
