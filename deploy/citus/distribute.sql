-- Turns a migrated, empty or small schema into one that Citus spreads over many nodes, by organization:
--
--   psql "$MIGRATION_DATABASE_URL" -v ON_ERROR_STOP=1 -f deploy/citus/distribute.sql
--
-- Every table that has `org_id` is distributed by it, beside `organizations`, so that all rows of one
-- organization stand on one node and every foreign key stays inside it. What has none (the directory of
-- people, the queues) stays on the coordinator. Some tables refer to each other, so foreign keys are
-- taken away first and put back when both sides are where they belong.

CREATE EXTENSION IF NOT EXISTS citus;

CREATE TEMPORARY TABLE tenants AS
SELECT t.oid, t.oid::regclass::text AS name
FROM pg_class AS t
INNER JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = 'org_id' AND NOT a.attisdropped
WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition;

CREATE TEMPORARY TABLE references_among_tenants AS
SELECT
    format('ALTER TABLE %s DROP CONSTRAINT %I', one.name, c.conname) AS away,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', one.name, c.conname, pg_get_constraintdef(c.oid)) AS back
FROM pg_constraint AS c
INNER JOIN tenants AS one ON one.oid = c.conrelid
INNER JOIN tenants AS other ON other.oid = c.confrelid
WHERE c.contype = 'f' AND c.conparentid = 0;

-- Citus runs no trigger of ours on a distributed table; `bursar verify` finds what they would refuse.
SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', t.name) FROM tenants AS t
WHERE EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal)
ORDER BY t.name
\gexec

SELECT r.away FROM references_among_tenants AS r ORDER BY r.away
\gexec

SELECT format(
    'SELECT create_distributed_table(%L, %L, colocate_with => %L)',
    t.name, 'org_id', CASE t.name WHEN 'organizations' THEN 'none' ELSE 'organizations' END
)
FROM tenants AS t ORDER BY t.name <> 'organizations', t.name
\gexec

SELECT r.back FROM references_among_tenants AS r ORDER BY r.back
\gexec
