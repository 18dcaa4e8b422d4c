-- What the application may touch. Money and history are INSERT and SELECT only.

CALL sec.isolate('organizations');
CALL sec.isolate('members');
CALL sec.isolate('api_keys');
CALL sec.isolate('test_clocks');
CALL sec.isolate('customers');
CALL sec.isolate('invoice_series');
CALL sec.isolate('invoices');
CALL sec.isolate('invoice_lines');
CALL sec.isolate('payments');
CALL sec.isolate('provider_events');
CALL sec.isolate('ledger_accounts');
CALL sec.isolate('ledger_transactions');
CALL sec.isolate('ledger_entries');
CALL sec.isolate('events');
CALL sec.isolate('event_seals');
CALL sec.isolate('webhook_subscriptions');
CALL sec.isolate('webhook_deliveries');
CALL sec.isolate('webhook_attempts');
CALL sec.isolate('idempotency_keys');
CALL sec.isolate('agenda');

GRANT SELECT, INSERT, UPDATE ON
organizations, members, api_keys, test_clocks, customers, invoice_series, invoices, payments,
provider_events, ledger_accounts, webhook_subscriptions, webhook_deliveries
TO bursar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
invoices, invoice_lines, agenda, idempotency_keys, test_clocks
TO bursar_app;
GRANT SELECT, INSERT ON
ledger_transactions, ledger_entries, events, event_seals, webhook_attempts
TO bursar_app;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sec FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA sec TO bursar_app;
GRANT EXECUTE ON FUNCTION sec.is_outside_orgs() TO bursar_directory;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA sec FROM PUBLIC, bursar_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bursar_backup;
-- Each process asks at its start whether the schema is the one it knows.
GRANT SELECT ON alembic_version TO bursar_app;
