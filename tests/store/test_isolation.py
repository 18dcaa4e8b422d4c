"""SQL that should never have got in finds nothing: arbitrary statements as the application's role.

The attacker has everything but a signature: a session of the application, bound to an organization
of their own, and all of SQL. None of it may show a row of another organization, change one, or lead
anywhere else. What the sessions of others can be seen doing carries no signature either.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from tests.support.database import Installation
from tests.support.world import Org, World, open_world

from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.operations.customers import CreateCustomer, create_customer
from bursar.runtime.app import operation
from bursar.runtime.clock import now
from bursar.runtime.crypto import context_mac, padded_keys
from bursar.runtime.db import Tx
from bursar.runtime.sql import Query

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CANARY: Final = "canary-of-the-victim"
SWITCH: Final = "SELECT set_config('bursar.context', '{}', true)"
LOOK: Final = "SELECT * FROM customers"

# Placeholders: {me} and {victim} are organizations, {own} my context, {stolen} one of the victim
# signed for another backend, {expired} one signed for mine, too late, {tail} my signature, {pid}.
ATTACKS: Final[dict[str, tuple[str, ...]]] = {
    "look at everything": (LOOK, "SELECT * FROM invoices", "SELECT * FROM payments"),
    "ask for the victim by id": ("SELECT * FROM customers WHERE org_id = '{victim}'",),
    "name the victim": (SWITCH.format("{victim}"), LOOK),
    "set the victim for the session": ("SET bursar.context = '{victim}'", LOOK),
    "put my signature under the victim": (SWITCH.format("{victim}|{pid}|9999999999|{tail}"), LOOK),
    "forge a signature": (SWITCH.format("{victim}|{pid}|9999999999|" + "0" * 64), LOOK),
    "no signature": (SWITCH.format("{victim}|{pid}|9999999999|"), LOOK),
    "no context": (SWITCH.format(""), LOOK),
    "replay on another connection": (SWITCH.format("{stolen}"), LOOK),
    "replay too late": (SWITCH.format("{expired}"), LOOK),
    "hide the victim before my context": (SWITCH.format("{victim}|{pid}|9|{own}"), LOOK),
    "switch inside a function": (
        (
            "DO $$ BEGIN PERFORM set_config('bursar.context', '{stolen}', true);"
            " RAISE EXCEPTION '%', (SELECT string_agg(name, ',') FROM customers); END $$"
        ),
    ),
    "prepare, switch, execute": (
        "PREPARE looking AS SELECT * FROM customers",
        "EXECUTE looking",
        SWITCH.format("{stolen}"),
        "EXECUTE looking",
    ),
    "a cursor over the switch": (
        "DECLARE looking CURSOR WITH HOLD FOR SELECT * FROM customers",
        SWITCH.format("{stolen}"),
        "FETCH ALL FROM looking",
    ),
    "enter as the victim": (
        "SELECT * FROM sec.enter('{stolen}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        LOOK,
    ),
    "read the key": ("SELECT * FROM sec.context_keys", "TABLE sec.context_keys"),
    "read the key's statistics": (
        "SELECT s::text FROM pg_statistic AS s",
        "SELECT tablename, most_common_vals::text, histogram_bounds::text FROM pg_stats",
    ),
    "read the sources": ("SELECT prosrc, prosqlbody::text FROM pg_proc WHERE prosecdef",),
    "read people": ("SELECT * FROM directory.users", "SELECT * FROM directory.refresh_tokens"),
    "ask for a person": ("SELECT * FROM sec.find_user('{email}')",),
    "ask where a person belongs": ("SELECT * FROM sec.memberships_of('{person}')",),
    "sign in as a person": (
        "SELECT sec.open_session('{me}', '{person}', 'a', interval '1 day', interval '1 day')",
    ),
    "replace a person's password": ("SELECT sec.rehash_user('{person}', 'mine')",),
    "make an operator": ("SELECT sec.add_user('{me}', 'x@example.com', 'x', 'x', true)",),
    "name an operator": (
        "SELECT sec.name_operator('{email}', true)",
        "SELECT sec.name_operator(email, true) FROM directory.users",
    ),
    "ask who belongs where": ("SELECT sec.has_member('{email}')",),
    "walk in by an invitation": (
        "SELECT * FROM sec.find_invitation(ARRAY(SELECT token_hash FROM members))",
        "UPDATE members SET user_id = '{person}', status = 'active' WHERE org_id = '{victim}'",
        "UPDATE members SET role = 'owner', org_id = '{victim}'",
    ),
    "be a key of the victim": (
        "SELECT * FROM sec.find_api_key(ARRAY(SELECT key_hash FROM api_keys))",
        "UPDATE api_keys SET org_id = '{victim}'",
    ),
    "bring the victim's organization to an end": (
        "UPDATE organizations SET deleted_at = now() WHERE org_id = '{victim}'",
        "DELETE FROM organizations WHERE org_id = '{victim}'",
    ),
    "be the owner": ("SET ROLE bursar_owner", LOOK),
    "be the lane": ("SET ROLE bursar_lane", LOOK),
    "be the superuser": ("SET SESSION AUTHORIZATION postgres", LOOK),
    "be whoever logged in": ("RESET SESSION AUTHORIZATION", "RESET ROLE", LOOK),
    "read the roles": ("SELECT * FROM pg_authid", "SELECT * FROM pg_shadow"),
    "switch row-level security off": ("SET row_security = off", LOOK),
    "switch triggers off": ("SET session_replication_role = replica",),
    "alter the table": (
        "ALTER TABLE customers DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE customers NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON customers",
        "CREATE POLICY all_rows ON customers USING (true)",
        "ALTER TABLE customers OWNER TO bursar_app",
        LOOK,
    ),
    "alter the function": (
        "CREATE OR REPLACE FUNCTION sec.org() RETURNS uuid RETURN '{victim}'::uuid",
        "ALTER FUNCTION sec.org() SECURITY INVOKER",
        "ALTER FUNCTION sec.org() RESET search_path",
        LOOK,
    ),
    "a temporary function": (
        (
            "CREATE FUNCTION pg_temp.current_setting(text, boolean) RETURNS text"
            " LANGUAGE sql AS $$SELECT '{stolen}'$$"
        ),
        LOOK,
    ),
    "a temporary table": ("CREATE TEMP TABLE context_keys AS SELECT 1", LOOK),
    "another search path": ("SET LOCAL search_path = pg_temp, directory, sec, public", LOOK),
    "a table, a schema, an extension": (
        "CREATE TABLE public.mine (a text)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION dblink",
        "CREATE VIEW public.mine AS SELECT * FROM customers",
    ),
    "read a partition": (
        "SELECT * FROM events_default",
        (
            "DO $$ DECLARE t text; BEGIN FOR t IN SELECT inhrelid::regclass FROM pg_inherits LOOP"
            " EXECUTE 'SELECT * FROM ' || t; END LOOP; END $$"
        ),
    ),
    "copy out": ("COPY customers TO '/tmp/customers'", "COPY customers TO PROGRAM 'cat'"),
    "copy in": ("COPY customers FROM PROGRAM 'id'", "COPY customers FROM '/etc/passwd'"),
    "large objects": ("SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/x')"),
    "files": (
        "SELECT pg_read_file('PG_VERSION')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_read_binary_file('global/pg_control')",
    ),
    "truncate": ("TRUNCATE customers CASCADE", "TRUNCATE ledger_entries"),
    "change the victim's rows": (
        "UPDATE customers SET name = 'mine' WHERE org_id = '{victim}'",
        "DELETE FROM invoices WHERE org_id = '{victim}'",
        "DELETE FROM agenda WHERE org_id = '{victim}'",
    ),
    "take the victim's rows": ("UPDATE customers SET org_id = '{me}' WHERE org_id = '{victim}'",),
    "give my rows away": ("UPDATE customers SET org_id = '{victim}'",),
    "write into the victim": (
        "INSERT INTO invoice_series VALUES ('{victim}', 'INV', 7)",
        (
            "INSERT INTO members (org_id, id, user_id, role, status, version, sequence, created_at,"
            " updated_at) SELECT '{victim}', id, user_id, role, status, 1, 1, now(), now()"
            " FROM members"
        ),
        "INSERT INTO test_clocks VALUES ('{victim}', now())",
    ),
    "refer to the victim": (
        "INSERT INTO invoices SELECT (i).* FROM (SELECT i FROM invoices AS i LIMIT 0) AS none",
        "UPDATE invoices SET customer_id = '{customer}'",
    ),
    "an error that quotes": (
        "SELECT name::integer FROM customers WHERE name <> 'Ada'",
        "SELECT * FROM customers WHERE 1 / (length(name) - {length}) > 0",
    ),
    "a statement about others": ("SELECT query FROM pg_stat_activity",),
    "the machine's doors": (
        "SELECT * FROM sec.org_ids()",
        "SELECT * FROM sec.unsealed_orgs(9)",
        "SELECT * FROM sec.orgs_to_checkpoint(9)",
        "SELECT * FROM queue.pgqueuer",
        "SELECT * FROM sec.find_api_key(ARRAY['x'::bytea])",
    ),
    "the owner's procedures": (
        "CALL sec.isolate('customers')",
        "CALL sec.guard_partition('events_default')",
        "CALL sec.extend_events(1)",
    ),
}


@dataclass(frozen=True)
class Scene:
    """An attacker's organization and a victim's, and what the attacker may have picked up."""

    world: World
    me: Org
    victim: Org
    customer: UUID
    tables: tuple[str, ...]

    def context(self, org: Org, pid: int, *, seconds: int = 60) -> str:
        expires = int(now().timestamp()) + seconds
        key, org_id = self.world.app.context_key, uuid_of(org.id)
        mac = context_mac(key, org_id, backend_pid=pid, expires_epoch=expires)
        return f"{org_id}|{pid}|{expires}|{mac}"

    def words(self, pid: int) -> dict[str, object]:
        """What an attack's placeholders stand for on this backend."""
        own = self.context(self.me, pid)
        return {
            "me": uuid_of(self.me.id),
            "victim": uuid_of(self.victim.id),
            "person": uuid_of(self.victim.user_id),
            "email": f"{CANARY}@example.com",
            "customer": self.customer,
            "own": own,
            "tail": own[-64:],
            "pid": pid,
            "stolen": self.context(self.victim, pid + 1),
            "expired": self.context(self.victim, pid, seconds=-1),
            "length": len(CANARY),
        }


@pytest.fixture(scope="module")
async def scene(world: World) -> Scene:
    me, victim = await world.org(), await world.org()
    await me.invoice(await me.customer())
    command = CreateCustomer(email=f"{CANARY}@example.com", name=CANARY, metadata={"a": CANARY})
    customer = await victim.caller.run(create_customer, command)
    await victim.invoice(customer)
    paid = await victim.invoice(await victim.customer())
    await victim.pay(paid.id)
    owner = await world.house.as_owner()
    await owner.execute("ANALYZE customers")
    tables = await tenant_tables(owner)
    await owner.execute("SET ROLE bursar_directory")
    await owner.execute(
        "UPDATE directory.users SET email = $1, name = $2 WHERE id = $3",
        *(f"{CANARY}@example.com", CANARY, uuid_of(victim.user_id)),
    )
    await owner.close()
    return Scene(world, me, victim, uuid_of(customer.id), tuple(tables))


@pytest.fixture
async def session(scene: Scene) -> AsyncIterator[Connection]:
    """A session of the application, in a transaction of the attacker's organization."""
    connection = await asyncpg.connect(scene.world.house.app_url, timeout=5)
    transaction = connection.transaction()
    await transaction.start()
    context = scene.context(scene.me, connection.get_server_pid())
    await connection.execute("SELECT set_config('bursar.context', $1, true)", context)
    assert await connection.fetchval("SELECT count(*) FROM customers") == 1
    yield connection
    await transaction.rollback()
    await connection.close()


async def heard(session: Connection, statement: str) -> str:
    """All that a statement tells, its error included; afterwards the transaction goes on."""
    try:
        async with session.transaction():
            return repr(await session.fetch(statement))
    except asyncpg.PostgresError as refused:
        return f"{refused!r} {refused.as_dict()}"


async def tenant_tables(owner: Connection) -> list[str]:
    rows = await owner.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class AS c JOIN pg_attribute AS a"
        " ON a.attrelid = c.oid AND a.attname = 'org_id' WHERE c.relkind IN ('r', 'p')"
        " AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition ORDER BY 1"
    )
    return [row["name"] for row in rows]


async def fingerprints(scene: Scene) -> dict[str, object]:
    """What the victim has, table by table, and who the people are."""
    owner = await scene.world.house.as_owner()
    rows = await owner.fetch(
        " UNION ALL ".join(
            f"SELECT '{table}' AS name, md5(string_agg(t::text, ',' ORDER BY t::text)) AS print"
            f" FROM {table} AS t WHERE org_id = $1"
            for table in scene.tables
        ),
        uuid_of(scene.victim.id),
    )
    found: dict[str, object] = {row["name"]: row["print"] for row in rows}
    found["people"] = await owner.fetchval(
        "SELECT md5(string_agg(u::text, ',' ORDER BY u::text)) FROM directory.users AS u"
    )
    found["sessions"] = await owner.fetchval("SELECT count(*) FROM directory.sessions")
    await owner.close()
    return found


async def foreign_rows(scene: Scene, session: Connection) -> int:
    """How many rows of anybody else the session sees now, whatever was done to it."""
    counts = [f"SELECT count(*) AS n FROM {table} WHERE org_id <> $1" for table in scene.tables]
    seen = await counted(scene, session, " UNION ALL ".join(counts))
    if seen is not None:
        return seen
    return sum([await counted(scene, session, each) or 0 for each in counts])


async def counted(scene: Scene, session: Connection, counts: str) -> int | None:
    """How many there are of all of these; nothing where one of them is refused."""
    total = f"SELECT sum(n)::bigint FROM ({counts}) AS counts"
    try:
        async with session.transaction():
            return int(await session.fetchval(total, uuid_of(scene.me.id)))
    except asyncpg.PostgresError:
        return None  # an error shows no row


@pytest.mark.parametrize("name", ATTACKS)
async def test_an_attack_finds_nothing(scene: Scene, session: Connection, name: str) -> None:
    # No word of the victim is heard, no foreign row is seen after it, no row of theirs changes.
    before = await fingerprints(scene)
    words = scene.words(session.get_server_pid())
    secrets = [pad.hex() for pad in padded_keys(scene.world.app.context_key)]
    for attack in ATTACKS[name]:
        statement = attack
        for word, meaning in words.items():
            statement = statement.replace("{" + word + "}", str(meaning))
        told = (await heard(session, statement)).replace(statement, "")
        assert not [word for word in (CANARY, *secrets) if word in told], statement
    assert await foreign_rows(scene, session) == 0
    assert before == await fingerprints(scene)


def test_there_are_attacks_enough() -> None:
    # Thirty were promised.
    assert sum(map(len, ATTACKS.values())) >= 80
    assert len(ATTACKS) >= 30


async def test_the_attack_would_be_noticed(scene: Scene, session: Connection) -> None:
    # The negative control: with a good signature the same looks do find the victim.
    pid = session.get_server_pid()
    await session.execute(SWITCH.format(scene.context(scene.victim, pid)))
    assert CANARY in await heard(session, LOOK)
    assert await foreign_rows(scene, session) > 0


async def test_without_a_context_every_table_is_an_error(world: World) -> None:
    # Forgetting to bind must never look like an empty organization.
    owner = await world.house.as_owner()
    tables = await tenant_tables(owner)
    await owner.close()
    assert len(tables) >= 20
    async with world.app.database.machine() as connection:
        for table in tables:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="bound"):
                await connection.fetch(f"SELECT * FROM {table}")


@operation(requires=Permission.CUSTOMER_READ)
async def linger(tx: Tx, _command: None) -> None:
    """Holds a transaction open."""
    await tx.fetchval(Query("sleep", "SELECT pg_sleep(0.5)"))


async def test_no_signature_is_ever_in_a_statement(world: World) -> None:
    # Other sessions of the role, and the server's log, see statements; what they see opens nothing.
    org = await world.org()
    running = asyncio.create_task(org.caller.run(linger, None))
    seen = set()
    async with world.app.database.machine() as connection:
        for _ in range(40):
            rows = await connection.fetch("SELECT query FROM pg_stat_activity")
            seen |= {row["query"] for row in rows}
            await asyncio.sleep(0.01)
    await running
    assert any("pg_sleep" in text for text in seen)
    assert not [text for text in seen if str(uuid_of(org.id)) in text]


async def test_the_servers_log_holds_no_value(house: Installation) -> None:
    # Even with every statement logged: ids, names and signatures are parameters.
    superuser = await house.as_superuser()
    log = Path(await superuser.fetchval("SHOW data_directory")).parent / "postgres.log"
    begins = log.stat().st_size  # what is older, other tests have written
    await superuser.execute("ALTER ROLE bursar_app SET log_statement = 'all'")
    await superuser.execute("ALTER ROLE bursar_app SET log_parameter_max_length = 0")
    command = CreateCustomer(email="logged@example.com", name="A Logged Name", metadata={})
    async with open_world(house) as logged:  # a pool of its own, for the setting is read at login
        org = await logged.org()
        customer = await org.caller.run(create_customer, command)
    await superuser.execute("ALTER ROLE bursar_app RESET log_statement")
    await superuser.execute("ALTER ROLE bursar_app RESET log_parameter_max_length")
    await superuser.close()
    text = log.read_bytes()[begins:].decode()
    assert "sec.enter" in text
    for value in ("A Logged Name", str(uuid_of(org.id)), str(uuid_of(customer.id))):
        assert value not in text
