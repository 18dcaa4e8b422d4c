"""Glances: one statement enters and reads, and reads nothing for whoever did not enter."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.reads.invoices import invoice
from bursar.runtime.db import Binding, Database, Record
from bursar.runtime.entrances import Entrance
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
    asked = [(uuid_of(wanted), None)]
    entrance, (row,) = await world.app.database.glance(binding, invoice.statement, asked)
    return entrance, row


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
        " FROM sec.glance($1, $2, $3, $4) AS entered, unnest($6::int[]) WHERE $5::uuid IS NOT NULL",
    )
    _, (row,) = await world.app.database.glance(binding, query, [(1,)])
    assert (row["mood"], row["xid"]) == ("on", None)


class Slow:
    """The database's glances, each noted and held until it is let go."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[int] = []
        self.come, self.gate = asyncio.Event(), asyncio.Event()
        self._glance = world.app.database.glance
        monkeypatch.setattr(Database, "glance", self._slowly)

    async def _slowly(
        self, binding: Binding, query: Query, asked: Sequence[Any]
    ) -> tuple[Entrance, list[Record]]:
        self.asked.append(len(asked))
        self.come.set()
        await self.gate.wait()
        return await self._glance(binding, query, asked)


def asking(
    world: World, binding: Binding, ids: Sequence[UUID]
) -> "list[asyncio.Task[tuple[Entrance, Record]]]":
    """One glance for each, all at once."""
    looked = (world.app.glanced(binding, invoice.statement, (each, None)) for each in ids)
    return [asyncio.create_task(each) for each in looked]


async def test_who_asks_meanwhile_is_answered_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each hears of what they asked for, in whichever order, twice the same, or of nothing.
    org = await world.org()
    customer = await org.customer()
    made = [await org.draft(customer, cents) for cents in (100, 200, 300)]
    ids = [uuid_of(made[place].id) for place in (2, 0, 1, 0)]
    binding, slow = await a_binding(world, org), Slow(world, monkeypatch)
    tasks = asking(world, binding, [*ids, uuid4()])
    slow.gate.set()
    *seen, (_, missing) = await asyncio.gather(*tasks)
    assert slow.asked == [5]
    found = [invoice.read(row, made[0].id) for _, row in seen]
    assert found == [made[2], made[0], made[1], made[0]]
    assert (missing["invoice"], missing["lines"]) == (None, [])


async def test_nobody_is_answered_by_the_credential_of_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only one's own: another key of the organization asks for itself, and so does another's.
    org, other = await world.org(), await world.org()
    made = await org.draft(await org.customer(), 700)
    good = await a_binding(world, org)
    bad, foreign = replace(good, api_key_id=uuid4()), await a_binding(world, other)
    slow = Slow(world, monkeypatch)
    tasks = [asking(world, each, [uuid_of(made.id)] * 3) for each in (good, bad, foreign)]
    slow.gate.set()
    seen = [await asyncio.gather(*each) for each in tasks]
    assert [{entrance.is_credential_good for entrance, _ in each} for each in seen] == [
        {True},
        {False},
        {True},
    ]
    assert [[row["invoice"] is not None for _, row in each] for each in seen] == [
        [True] * 3,
        [False] * 3,
        [False] * 3,
    ]


async def test_who_comes_after_a_revocation_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Also while others, who came before it, are still being answered.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    binding, slow = await a_binding(world, org), Slow(world, monkeypatch)
    (before,) = asking(world, binding, [uuid_of(made.id)])
    await slow.come.wait()
    connection = await asyncpg.connect(world.house.superuser_url, database="bursar")
    try:
        await connection.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE org_id = $1", uuid_of(org.id)
        )
    finally:
        await connection.close()
    (after,) = asking(world, binding, [uuid_of(made.id)])
    slow.gate.set()
    await before
    entrance, row = await after
    assert not entrance.is_credential_good
    assert row["invoice"] is None


async def read_again(
    world: World, binding: Binding, wanted: InvoiceId, mark: str | None
) -> tuple[str, bool]:
    """The mark that holds, and whether the rows came with it, for whoever knows this mark."""
    (row,) = (
        await world.app.database.glance(binding, invoice.statement, [(uuid_of(wanted), mark)])
    )[1]
    assert (row["invoice"] is None) == (row["lines"] is None)
    return row["mark"], row["invoice"] is not None


async def test_what_is_known_is_not_read_again(world: World) -> None:
    # Until a row of it is another one: the document's, a line's, by whomever it was written.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    binding = await a_binding(world, org)
    mark, is_read = await read_again(world, binding, made.id, None)
    assert is_read
    assert await read_again(world, binding, made.id, mark) == (mark, False)
    for touch in (
        "UPDATE invoices SET org_id = org_id WHERE id = $1",
        "UPDATE invoice_lines SET org_id = org_id WHERE invoice_id = $1",
    ):
        connection = await asyncpg.connect(world.house.superuser_url, database="bursar")
        try:
            await connection.execute(touch, uuid_of(made.id))
        finally:
            await connection.close()
        before = mark
        mark, is_read = await read_again(world, binding, made.id, before)
        assert is_read
        assert mark != before


async def test_a_mark_opens_nothing(world: World) -> None:
    # Whoever knows it is told nothing by it: not with a bad key, not from another organization.
    org, other = await world.org(), await world.org()
    made = await org.draft(await org.customer(), 700)
    binding = await a_binding(world, org)
    mark, _ = await read_again(world, binding, made.id, None)
    for stranger in (replace(binding, api_key_id=uuid4()), await a_binding(world, other)):
        asked = [(uuid_of(made.id), mark)]
        _, (row,) = await world.app.database.glance(stranger, invoice.statement, asked)
        assert (row["mark"], row["invoice"]) == (None, None)
        assert not row["lines"]


async def test_it_is_planned_once(world: World) -> None:
    # To plan it takes longer than to run it; so however many are asked for, one plan serves: the
    # driver's connection plans the first five anew, to compare.
    org = await world.org()
    made = await org.draft(await org.customer(), 700)
    binding = await a_binding(world, org)
    async with world.app.database.machine() as connection:
        context = binding.context(connection.get_server_pid())
        who = None, None, binding.api_key_id, binding.scope
        for times in (1, 2, 3) * 5:
            ids, marks = [uuid_of(made.id)] * times, [None] * times
            await connection.fetch(invoice.statement.text, context, *who, ids, marks)
        planned = await connection.fetchrow(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1",
            invoice.statement.text,
        )
    assert planned is not None
    assert planned["custom_plans"] == 5
    assert planned["generic_plans"] >= 10
