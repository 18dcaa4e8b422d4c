-- name: round_trip
-- Nothing but the way there and back.
SELECT 1;

-- name: durable_commit
-- A commit that waits for the log as every other does, and leaves no row.
SELECT pg_logical_emit_message(TRUE, 'bursar.bench', '');
