"""The laws of the schema, asked of PostgreSQL's own catalog; none rests on anybody's memory.

A law is a query that names offenders. Beside each stands a statement that plants one, so every law
is seen to fail in every run.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg
import pytest
from tests.support.database import Installation

# Tables of `public` without an organization: Alembic's own count of revisions.
LISTED: Final = ("alembic_version",)
APPEND_ONLY: Final = (
    *("ledger_transactions", "ledger_entries", "events", "event_seals", "usage_events"),
)
INSERT_AND_SELECT: Final = (*APPEND_ONLY, "webhook_attempts")
OWN_ROWS: Final = "(org_id = ( SELECT sec.org() AS org))"

TABLES: Final = f"""
    SELECT c.oid, c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity,
        c.oid::regclass::text AS name
    FROM pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        AND c.relname <> ALL ('{{{",".join(LISTED)}}}')
"""
ORG_COLUMN: Final = """
    (SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = 'org_id')
"""


@dataclass(frozen=True, slots=True)
class Law:
    """What must hold, who offends, and a statement that makes an offender."""

    says: str
    offenders: str
    plant: str


LAWS: Final = (
    Law(
        "every table has an organization, and never without a value",
        f"""SELECT t.name FROM ({TABLES}) AS t WHERE NOT EXISTS (
            SELECT FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = 'org_id'
                AND a.attnotnull AND a.atttypid = 'uuid'::regtype
        )""",
        "CREATE TABLE planted (id uuid PRIMARY KEY)",
    ),
    Law(
        "the organization comes first in every primary key",
        f"""SELECT t.name FROM ({TABLES}) AS t WHERE NOT EXISTS (
            SELECT FROM pg_index AS i WHERE i.indrelid = t.oid AND i.indisprimary
                AND i.indkey[0] = {ORG_COLUMN}
        )""",
        "CREATE TABLE planted (org_id uuid NOT NULL, id uuid PRIMARY KEY)",
    ),
    Law(
        "the organization comes first in every unique key",
        f"""SELECT i.indexrelid::regclass FROM ({TABLES}) AS t JOIN pg_index AS i
            ON i.indrelid = t.oid AND i.indisunique
            WHERE i.indkey[0] IS DISTINCT FROM {ORG_COLUMN}""",
        "CREATE UNIQUE INDEX planted ON customers (email)",
    ),
    Law(
        "the organization comes first in every foreign key, on both sides",
        f"""SELECT k.conname FROM ({TABLES}) AS t JOIN pg_constraint AS k
            ON k.conrelid = t.oid AND k.contype = 'f'
            WHERE k.conkey[1] IS DISTINCT FROM {ORG_COLUMN} OR k.confkey[1] IS DISTINCT FROM (
                SELECT a.attnum FROM pg_attribute AS a
                WHERE a.attrelid = k.confrelid AND a.attname = 'org_id'
            )""",
        "CREATE TABLE planted (org_id uuid NOT NULL, i uuid, FOREIGN KEY (i, org_id)"
        " REFERENCES customers (id, org_id), UNIQUE (org_id, i))",
    ),
    Law(
        # A second one is taken for as good where the statistics know too little of somebody.
        "events of usage have one index that begins with the organization: the one of their key",
        f"""SELECT i.indexrelid::regclass FROM ({TABLES}) AS t JOIN pg_index AS i
            ON i.indrelid = t.oid AND NOT i.indisprimary
            WHERE t.relname LIKE 'usage_events%' AND i.indkey[0] = {ORG_COLUMN}""",
        "CREATE INDEX planted ON usage_events (org_id, subscription_id, occurred_at)",
    ),
    Law(
        "row-level security is on, also for the owner",
        f"SELECT t.name FROM ({TABLES}) AS t"
        " WHERE NOT (t.relrowsecurity AND t.relforcerowsecurity)",
        "ALTER TABLE payments NO FORCE ROW LEVEL SECURITY",
    ),
    Law(
        "one policy binds everybody and every command to the signed organization",
        f"""SELECT t.name FROM ({TABLES}) AS t LEFT JOIN pg_policy AS p ON p.polrelid = t.oid
            GROUP BY t.name HAVING count(p.oid) <> 1 OR NOT bool_and(
                p.polcmd = '*' AND p.polpermissive AND p.polroles = '{{0}}'
                AND pg_get_expr(p.polqual, p.polrelid) = '{OWN_ROWS}'
                AND pg_get_expr(p.polwithcheck, p.polrelid) = '{OWN_ROWS}'
            )""",
        "CREATE POLICY planted ON invoices FOR SELECT USING (true)",
    ),
    Law(
        "no row changes its organization",
        f"""SELECT t.name FROM ({TABLES}) AS t WHERE NOT EXISTS (
            SELECT FROM pg_trigger AS g WHERE g.tgrelid = t.oid AND g.tgenabled = 'O'
                AND g.tgfoid = 'sec.refuse_move'::regproc
        )""",
        "DROP TRIGGER org_stays ON members",
    ),
    Law(
        "history is append-only, whoever writes, in every partition",
        f"""SELECT t.name FROM ({TABLES}) AS t
            WHERE (t.relname IN {APPEND_ONLY!r} OR t.relispartition) AND NOT EXISTS (
                SELECT FROM pg_trigger AS g WHERE g.tgrelid = t.oid AND g.tgenabled = 'O'
                    AND g.tgfoid = 'sec.refuse_change'::regproc
                    AND g.tgtype & 58 = 58  -- before, on delete, update and truncate
            )""",
        "ALTER TABLE events_default DISABLE TRIGGER append_only",
    ),
    Law(
        "the application may add to history and look at it, no more",
        f"""SELECT t.name, r.privilege FROM ({TABLES}) AS t,
            unnest('{{UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[]) AS r (privilege)
            WHERE (t.relname IN {INSERT_AND_SELECT!r} OR t.relispartition)
                AND has_table_privilege('bursar_app', t.oid, r.privilege)""",
        "GRANT UPDATE ON ledger_entries TO bursar_app",
    ),
    Law(
        "the application truncates, references and triggers nothing, anywhere",
        """SELECT c.oid::regclass, r.privilege FROM pg_class AS c,
            unnest('{TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS r (privilege)
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND has_table_privilege('bursar_app', c.oid, r.privilege)""",
        "GRANT TRUNCATE ON agenda TO bursar_app",
    ),
    Law(
        "the application touches no partition directly",
        f"""SELECT t.name FROM ({TABLES}) AS t WHERE t.relispartition
            AND has_table_privilege('bursar_app', t.oid, 'SELECT,INSERT')""",
        "GRANT SELECT ON events_default TO bursar_app",
    ),
    Law(
        "keys, people and the relay's place are out of the application's reach",
        """SELECT c.oid::regclass, r.privilege FROM pg_class AS c,
            unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS r (privilege)
            WHERE c.relnamespace IN ('sec'::regnamespace, 'directory'::regnamespace)
                AND c.relkind IN ('r', 'p', 'v')
                AND has_any_column_privilege('bursar_app', c.oid, 'SELECT,INSERT,UPDATE')""",
        "GRANT SELECT (id) ON sec.context_keys TO bursar_app",
    ),
    Law(
        "the application owns nothing",
        "SELECT d.classid::regclass, d.objid FROM pg_shdepend AS d"
        " WHERE d.refobjid IN ('bursar_app'::regrole, 'bursar_lane'::regrole)"
        " AND d.deptype = 'o'",
        "CREATE TABLE planted (); ALTER TABLE planted OWNER TO bursar_app",
    ),
    Law(
        "the application creates nothing, not even for a moment",
        """SELECT n.nspname FROM pg_namespace AS n
            WHERE has_schema_privilege('bursar_app', n.oid, 'CREATE')
                AND n.nspname NOT LIKE 'pg\\_%temp%'
            UNION ALL SELECT 'database' WHERE
                has_database_privilege('bursar_app', current_database(), 'CREATE,TEMP')""",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
    ),
    Law(
        "the application is nobody else",
        "SELECT r.rolname FROM pg_roles AS r WHERE r.rolname IN ('bursar_app', 'bursar_lane')"
        " AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb"
        " OR r.rolreplication OR EXISTS"
        " (SELECT FROM pg_auth_members AS m WHERE m.member = r.oid))",
        "GRANT bursar_lane TO bursar_app",
    ),
    Law(
        "everybody together may nothing: what is granted has a name",
        """SELECT p.oid::regprocedure::text FROM pg_proc AS p
            WHERE p.pronamespace = 'sec'::regnamespace
                AND (p.proacl IS NULL OR p.proacl::text ~ '[{,]=')
            UNION ALL SELECT c.oid::regclass::text FROM pg_class AS c
            WHERE c.relnamespace::regnamespace::text IN ('public', 'sec', 'directory', 'queue')
                AND c.relacl::text ~ '[{,]='
            UNION ALL SELECT n.nspname FROM pg_namespace AS n
            WHERE n.nspname IN ('public', 'sec', 'directory', 'queue')
                AND n.nspacl::text ~ '[{,]='""",
        "CREATE FUNCTION sec.planted() RETURNS void LANGUAGE sql AS ''",
    ),
    Law(
        "a function with its owner's rights stands in sec and trusts no search path",
        """SELECT p.oid::regprocedure FROM pg_proc AS p
            WHERE p.pronamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
                AND (p.prosecdef OR p.pronamespace = 'sec'::regnamespace) AND (
                    p.pronamespace <> 'sec'::regnamespace OR NOT EXISTS (
                        SELECT FROM unnest(p.proconfig) AS c (setting)
                        WHERE c.setting IN (
                            'search_path=pg_catalog, pg_temp',
                            'search_path=pg_catalog, public, pg_temp'
                        )
                    )
                )""",
        "CREATE FUNCTION sec.planted() RETURNS void LANGUAGE sql SECURITY DEFINER AS ''",
    ),
    Law(
        "a view looks with the eyes of whoever asks, and nothing is materialized",
        """SELECT c.oid::regclass FROM pg_class AS c
            WHERE c.relnamespace::regnamespace::text IN ('public', 'sec', 'directory', 'queue')
                AND (c.relkind = 'm' OR c.relkind = 'v' AND NOT coalesce(
                    c.reloptions @> '{security_invoker=true}', false
                ))""",
        "CREATE VIEW planted AS SELECT * FROM customers",
    ),
    Law(
        "no counter tells how much others do",
        """SELECT c.oid::regclass FROM pg_class AS c WHERE CASE
                WHEN c.relkind <> 'S' OR c.oid = 'queue.pgqueuer_id_seq'::regclass THEN false
                ELSE has_sequence_privilege('bursar_app', c.oid, 'USAGE,SELECT') END
            UNION ALL SELECT 'queue.pgqueuer_id_seq'::regclass
            WHERE has_sequence_privilege('bursar_app', 'queue.pgqueuer_id_seq', 'SELECT,UPDATE')""",
        "CREATE SEQUENCE planted; GRANT USAGE ON SEQUENCE planted TO bursar_app",
    ),
    Law(
        "an amount is a bigint of minor units, and nothing is a float",
        f"""SELECT t.name, a.attname FROM ({TABLES}) AS t
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE a.attname LIKE '%\\_minor' AND a.atttypid <> 'bigint'::regtype
                OR a.attname = 'currency'
                    AND format_type(a.atttypid, a.atttypmod) <> 'character(3)'
                OR a.atttypid::regtype::text IN ('real', 'double precision', 'money')""",
        "ALTER TABLE invoices ADD COLUMN extra_minor integer",
    ),
    Law(
        "an instant is in UTC, and ends in _at or _until",
        f"""SELECT t.name, a.attname FROM ({TABLES}) AS t
            JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE a.atttypid IN ('timestamp'::regtype, 'timetz'::regtype)
                OR a.atttypid = 'timestamptz'::regtype AND a.attname !~ '(_at|_until)$'""",
        "ALTER TABLE invoices ADD COLUMN sent timestamptz",
    ),
    Law(
        "nothing that is referred to can be taken away",
        f"""SELECT k.conname FROM ({TABLES}) AS t JOIN pg_constraint AS k
            ON k.conrelid = t.oid AND k.contype = 'f'
            WHERE k.confdeltype <> 'r' OR NOT k.convalidated""",
        "ALTER TABLE members ADD FOREIGN KEY (org_id) REFERENCES organizations ON DELETE CASCADE",
    ),
    Law(
        "no transaction calls NOTIFY: it would make commits wait for each other",
        """SELECT g.tgrelid::regclass, p.proname FROM pg_trigger AS g
            JOIN pg_proc AS p ON p.oid = g.tgfoid WHERE p.prosrc ILIKE '%notify%'""",
        "CREATE FUNCTION sec.planted() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_notify(''a'', ''b''); RETURN NULL; END';"
        " CREATE TRIGGER planted AFTER INSERT ON agenda EXECUTE FUNCTION sec.planted()",
    ),
)


async def offenders(connection: "asyncpg.Connection[asyncpg.Record]", law: Law) -> list[object]:
    return [tuple(row) for row in await connection.fetch(law.offenders)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.says.replace(" ", "-"))
async def test_the_schema_keeps_the_law(house: Installation, law: Law) -> None:
    # Nothing offends today; a planted offender is found, so that silence means something.
    connection = await house.as_superuser()
    try:
        assert await offenders(connection, law) == []
        planting = connection.transaction()
        await planting.start()
        await connection.execute(law.plant)
        assert await offenders(connection, law) != []
        await planting.rollback()
    finally:
        await connection.close()


async def test_the_list_of_exceptions_is_needed(house: Installation) -> None:
    # A table that was listed and is gone, or has an organization now, leaves the list.
    owner = await house.as_owner()
    rows = await owner.fetch(
        "SELECT c.relname FROM pg_class AS c WHERE c.relname = ANY ($1)"
        " AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS ("
        "SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'org_id')",
        LISTED,
    )
    await owner.close()
    assert {row["relname"] for row in rows} == set(LISTED)
    assert len(LISTED) <= 10
