-- Documents: recurring invoices, kept files, mail settings.
SELECT 1;
