"""Glances: one statement enters and reads, and reads nothing for whoever did not enter."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.ids import InvoiceId, uuid_of
from bursar.reads.invoices import invoice
from bursar.runtime.db import Binding, Entrance, Record
from bursar.runtime.sql import Query


async def a_binding(world: World, org: Org) -> Binding:
    """Of a key that is good."""
    connection = await asyncpg.connect(world.house.superuser_url, database="bursar")
    try:
        key_id = uuid4()
        await connection.execute(
            "INSERT INTO api_keys (org_id, id, name, key_hash, key_prefix, scopes, version,"
            " sequence, created_at, updated_at)"
            " VALUES ($1, $2, 'k', $3, 'bsk_xxxx', '{billing:read}', 1, 1, now(), now())",
            uuid_of(org.id),
            key_id,
            key_id.bytes,
        )
    finally:
        await connection.close()
    return Binding(
        context_key=world.app.context_key,
        scope=uuid_of(org.id),
        org_id=org.id,
        actor="key:test",
        request_id="test",
        api_key_id=key_id,
    )


async def glanced(world: World, binding: Binding, wanted: InvoiceId) -> tuple[Entrance, Record]:
    return await world.app.database.glance(binding, invoice.statement, uuid_of(wanted))


async def test_whoever_enters_sees_it_whole(world: World) -> None:
    # The document with its lines, as the transaction of a look would read it.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    entrance, row = await glanced(world, await a_binding(world, org), made.id)
    assert entrance.is_credential_good
    assert invoice.read(row, made.id) == made


async def test_a_key_that_is_not_good_reads_nothing(world: World) -> None:
    # Its transaction says so, and holds nothing that could be shown by mistake.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    binding = replace(await a_binding(world, org), api_key_id=uuid4())
    entrance, row = await glanced(world, binding, made.id)
    assert not entrance.is_credential_good
    assert (row["invoice"], row["lines"]) == (None, None)


async def test_another_organization_sees_nothing(world: World) -> None:
    # Neither from inside its own, nor by a context that nobody signed.
    org, other = await world.org(), await world.org()
    made = await org.draft(await org.customer(), 700)
    _, row = await glanced(world, await a_binding(world, other), made.id)
    assert (row["invoice"], row["lines"]) == (None, [])
    forged = replace(await a_binding(world, org), context_key=bytes(32))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await glanced(world, forged, made.id)


async def test_nothing_of_it_is_left_on_the_connection(world: World) -> None:
    # The statement was a transaction of its own: whoever comes next is bound to nobody.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    await glanced(world, await a_binding(world, org), made.id)
    async with world.app.database.machine() as connection:
        assert await connection.fetchval("SELECT current_setting('bursar.context', true)") == ""
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetchval("SELECT count(*) FROM invoices")


async def test_a_glance_locks_and_writes_nothing(world: World) -> None:
    # Its transaction only reads: no share of the organization, no transaction id, no flush.
    org = await world.org()
    binding = await a_binding(world, org)
    query = Query(
        "glance",
        "SELECT entered.*, CASE WHEN entered.is_credential_good THEN"
        " current_setting('transaction_read_only') END AS mood,"
        " CASE WHEN entered.is_credential_good THEN pg_current_xact_id_if_assigned() END AS xid"
        " FROM sec.glance($1, $2, $3, $4) AS entered WHERE $5::uuid IS NOT NULL",
    )
    _, row = await world.app.database.glance(binding, query)
    assert (row["mood"], row["xid"]) == ("on", None)
