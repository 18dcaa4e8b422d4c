-- Mail: what was written to whom, and what became of it.
SELECT 1;
