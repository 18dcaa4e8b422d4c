"""What an organization has, as one checksum a table: to see that nobody else touched it."""

from typing import Final

from tests.support.world import Org

from bursar.domain.ids import uuid_of

TABLES: Final = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relnamespace = 'public'::regnamespace
    ORDER BY 1
"""


async def fingerprint(org: Org) -> dict[str, str]:
    """A checksum of every table's rows of one organization."""
    connection = await org.world.house.as_owner()
    try:
        tables = [row["relname"] for row in await connection.fetch(TABLES)]
        return {
            table: await connection.fetchval(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                f" FROM {table} t WHERE t.org_id = $1",
                uuid_of(org.id),
            )
            for table in tables
        }
    finally:
        await connection.close()
