"""Migrations: once or twice, alone or together, cut in the middle: the same schema or none."""

import asyncio
import hashlib

import asyncpg
import pytest
from tests.support.database import Installation, beside
from tests.support.world import World

from bursar.domain.ids import uuid_of
from bursar.runtime.migrations import migrate
from bursar.runtime.schema import newest_revision

KEY = b"k" * 32
# Everything a schema is, as text: columns, constraints, indexes, functions, triggers, policies,
# and who may do what with each.
SHAPE = (
    """SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE a.attnum > 0 AND c.relnamespace::regnamespace::text = ANY ($1) ORDER BY 1, attnum""",
    """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace::regnamespace::text = ANY ($1) ORDER BY 1, 2""",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = ANY ($1) ORDER BY 1",
    """SELECT oid::regprocedure::text, pg_get_functiondef(oid), proacl::text,
        proowner::regrole::text
    FROM pg_proc WHERE pronamespace::regnamespace::text = ANY ($1) ORDER BY 1""",
    """SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal ORDER BY 1, 2""",
    """SELECT tablename, policyname, qual, with_check FROM pg_policies
    WHERE schemaname = ANY ($1) ORDER BY 1, 2""",
    """SELECT oid::regclass::text, relacl::text, relowner::regrole::text FROM pg_class
    WHERE relnamespace::regnamespace::text = ANY ($1) ORDER BY 1""",
)
SCHEMAS = ["public", "sec", "directory", "queue"]


async def shape(url: str) -> str:
    """A digest of the whole schema."""
    connection = await asyncpg.connect(url)
    digest = hashlib.sha256()
    for query in SHAPE:
        arguments = [SCHEMAS] if "$1" in query else []
        rows = await connection.fetch(query, *arguments)
        assert rows
        digest.update(repr([tuple(row) for row in rows]).encode())
    await connection.close()
    return digest.hexdigest()


async def test_a_second_migration_changes_nothing(house: Installation, world: World) -> None:
    # Every start runs them; the data stays, the schema is the same to the last grant.
    org = await world.org()
    await org.invoice(await org.customer())
    before = await shape(house.owner_url)
    assert await migrate(house.owner_url, context_key=world.app.context_key) is False
    assert await shape(house.owner_url) == before
    owner = await house.as_owner()
    assert (
        await owner.fetchval("SELECT count(*) FROM invoices WHERE org_id = $1", uuid_of(org.id))
        == 1
    )
    await owner.close()


async def test_months_of_the_event_log_are_made_ahead(house: Installation, world: World) -> None:
    # The first migration made a year; each one after it makes what has come nearer since, guarded.
    owner = await house.as_owner()
    last = await owner.fetchval(
        "SELECT max(tablename) FROM pg_tables WHERE tablename ~ '^events_[0-9]{4}_[0-9]{2}$'"
    )
    guards = (
        "SELECT (SELECT array_agg(tgname ORDER BY tgname) FROM pg_trigger"
        " WHERE tgrelid = to_regclass($1) AND NOT tgisinternal),"
        " (SELECT relforcerowsecurity FROM pg_class WHERE oid = to_regclass($1))"
    )
    before = await owner.fetchrow(guards, last)
    async with owner.transaction():
        rights = await owner.fetchval("SELECT relacl FROM pg_class WHERE relname = $1", last)
        await owner.execute(f"DROP TABLE {last}")
    await migrate(house.owner_url, context_key=world.app.context_key)
    assert await owner.fetchrow(guards, last) == before
    assert "bursar_backup=r/bursar_owner" in rights
    await owner.execute(f"GRANT SELECT ON {last} TO bursar_backup")  # as others compare it
    await owner.close()


async def test_migrations_started_together_take_turns(house: Installation) -> None:
    # Two installations of one database start at once: one does the work, none fails.
    async with beside(house, is_bare=True) as bare:
        url = bare.owner_url
        done = await asyncio.gather(*(migrate(url, context_key=KEY) for _ in range(3)))
        assert sorted(done) == [False, False, True]
        assert await shape(url) == await shape(house.owner_url)


@pytest.mark.parametrize("after", [0.05, 0.25])
async def test_a_migration_cut_in_the_middle_is_done_by_the_next(
    house: Installation, after: float
) -> None:
    # Its sessions are ended wherever it is: all of the revision is there, or none of it.
    async with beside(house, is_bare=True) as bare:
        url = bare.owner_url
        cut = asyncio.create_task(migrate(url, context_key=KEY))
        await asyncio.sleep(after)
        superuser = await asyncpg.connect(bare.superuser_url)
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'bursar_owner' AND datname = current_database()"
        )
        await asyncio.gather(cut, return_exceptions=True)
        tables = await superuser.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname = ANY ($1)", SCHEMAS
        )
        await superuser.close()
        assert tables < 2 or tables > 30, "half a schema"
        await migrate(url, context_key=KEY)
        assert await shape(url) == await shape(house.owner_url)


@pytest.mark.parametrize(
    "held",
    [
        "CREATE SCHEMA sec",
        pytest.param(
            "LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE", marks=pytest.mark.proof
        ),
    ],
)
async def test_a_lock_that_is_held_is_waited_for_in_short_turns(
    house: Installation, held: str
) -> None:
    # Others stand behind a migration for a moment only, and it is done once the way is free.
    async with beside(house, is_bare=True) as bare:
        url = bare.owner_url
        is_there = "alembic" in held
        if is_there:
            await migrate(url, context_key=KEY)
        blocker = await asyncpg.connect(url)
        began = blocker.transaction()
        await began.start()
        await blocker.execute(held)
        migrating = asyncio.create_task(migrate(url, context_key=KEY))
        # Who is in a transaction sees a picture of the others that does not change.
        watching = await asyncpg.connect(url)
        await until_waiting(watching, is_so=True)
        await until_waiting(watching, is_so=False)
        await watching.close()
        assert not migrating.done()
        await began.rollback()
        await blocker.close()
        assert await migrating is not is_there
        assert await shape(url) == await shape(house.owner_url)


async def until_waiting(connection: "asyncpg.Connection[asyncpg.Record]", *, is_so: bool) -> None:
    """Until somebody waits for a lock, or nobody does any more."""
    waiting = (
        "SELECT count(*) > 0 FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND wait_event <> 'advisory' "
        "AND datname = current_database()"
    )
    for _ in range(1_000):
        if await connection.fetchval(waiting) is is_so:
            return
        await asyncio.sleep(0.02)
    pytest.fail("it does not come to that")


async def test_a_new_key_is_taken_at_the_next_start(house: Installation) -> None:
    # The key of the tenant context follows the installation's secret.
    async with beside(house, is_bare=True) as bare:
        url = bare.owner_url
        await migrate(url, context_key=KEY)
        owner = await asyncpg.connect(url)
        before = await owner.fetch("SELECT * FROM sec.context_keys")
        await migrate(url, context_key=b"n" * 32)
        after = await owner.fetch("SELECT * FROM sec.context_keys")
        found = await owner.fetchval("SELECT version_num FROM alembic_version")
        await owner.close()
    assert (len(before), len(after)) == (1, 1)
    assert before != after
    assert found == newest_revision()
