-- Turns a migrated, empty or small schema into one that Citus spreads over many nodes, by organization:
--
--   psql "$MIGRATION_DATABASE_URL" -v ON_ERROR_STOP=1 -f deploy/citus/distribute.sql
--
-- Every table that has `org_id` is distributed by it, beside `organizations`, so that all rows of one
-- organization stand on one node and every foreign key stays inside it. What has none (the directory of
-- people, the queues) stays on the coordinator. Tables go after those that they refer to.

CREATE EXTENSION IF NOT EXISTS citus;

-- Citus runs no trigger of ours on a distributed table; `bursar verify` finds what they would refuse.
SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', t.oid::regclass)
FROM pg_class AS t
INNER JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = 'org_id' AND NOT a.attisdropped
WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
    AND EXISTS (SELECT FROM pg_trigger AS g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal)
ORDER BY 1
\gexec

WITH RECURSIVE tenants AS (
    SELECT t.oid, t.oid::regclass::text AS name
    FROM pg_class AS t
    INNER JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attname = 'org_id' AND NOT a.attisdropped
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
), depths AS (
    SELECT tenants.oid, 0 AS depth FROM tenants WHERE tenants.name = 'organizations'
    UNION
    SELECT c.conrelid, depths.depth + 1
    FROM depths
    INNER JOIN pg_constraint AS c
        ON c.confrelid = depths.oid AND c.contype = 'f' AND c.conrelid <> c.confrelid
    INNER JOIN tenants ON tenants.oid = c.conrelid
    WHERE depths.depth < 32
)
SELECT format(
    'SELECT create_distributed_table(%L, %L, colocate_with => %L)',
    tenants.name, 'org_id', CASE tenants.name WHEN 'organizations' THEN 'none' ELSE 'organizations' END
)
FROM tenants LEFT JOIN depths ON depths.oid = tenants.oid
GROUP BY tenants.name
ORDER BY max(coalesce(depths.depth, 1)), tenants.name
\gexec
