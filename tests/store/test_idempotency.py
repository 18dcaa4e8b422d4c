"""Idempotency keys in the database: claimed once, resumed when the owner is dead, never shared."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from tests.support.database import Installation, beside
from tests.support.world import Org, World

from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.refusals import IdempotencyInProgress, IdempotencyMismatch
from bursar.operations.customers import CreateCustomer, create_customer
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer, Idempotency, Replayed

SIGN_OF_LIFE = "SELECT pg_advisory_lock(hashtextextended($1::uuid::text, 0))"
END_OF_LIFE = "SELECT pg_advisory_unlock(hashtextextended($1::uuid::text, 0))"
USED = "SELECT sec.used_keys($1, $2::text[], now())"
KEEP = """
INSERT INTO idempotency_keys (org_id, key, fingerprint, claim, expires_at)
SELECT $1, 'key-' || n, '', $1, now() + CASE n WHEN 1 THEN interval '0' ELSE interval '1 day' END
FROM generate_series(1, 3000) AS n
"""
READ_WHOLE = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'idempotency_keys'"
ADA = CreateCustomer(email="ada@example.com", name="Ada", metadata={})


@pytest.fixture
async def line(world: World) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A process's own line, by which others see that it lives."""
    connection = await world.house.as_owner()
    yield connection
    await connection.close()


def caller_of(org: Org, key: str, print_: bytes = b"a" * 32, boot_id: UUID | None = None) -> Caller:
    """A request with this key and fingerprint, in this process or in another one."""
    app = org.world.app if boot_id is None else replace(org.world.app, boot_id=boot_id)
    return replace(org.caller, app=app, idempotency=Idempotency(key, print_, uuid4()))


def told(customer: Customer) -> Answer:
    return Answer(201, customer.id.encode())


async def outcome(caller: Caller) -> str:
    """How a request that creates a customer ends."""
    try:
        customer = await caller.run(create_customer, ADA, answer=told)
    except Replayed as replayed:
        return replayed.answer.body.decode()
    except (IdempotencyInProgress, IdempotencyMismatch) as refused:
        return type(refused).__name__
    return customer.id


async def customers_of(world: World, org: Org) -> int:
    connection = await world.house.as_owner()
    try:
        found = await connection.fetchval(
            "SELECT count(*) FROM customers WHERE org_id = $1", UUID(org.id[4:])
        )
    finally:
        await connection.close()
    return int(found)


async def test_two_requests_at_once_with_one_key(world: World) -> None:
    # Of two different requests with one key exactly one has an effect; the other is told so.
    org = await world.org()
    prints = [b"a" * 32, b"b" * 32] * 10
    ends = await asyncio.gather(*(outcome(caller_of(org, "shared", each)) for each in prints))
    made = {end for end in ends if end.startswith("cust_")}
    assert len(made) == 1
    assert await customers_of(world, org) == 1
    mismatched = Counter(ends)["IdempotencyMismatch"]
    assert mismatched == 10, "everybody of the other request, and nobody else"


async def test_many_at_once_are_one(world: World) -> None:
    # The same request fifty times: one effect, one answer.
    org = await world.org()
    ends = await asyncio.gather(*(outcome(caller_of(org, "same")) for _ in range(50)))
    assert len({end for end in ends if end.startswith("cust_")}) == 1
    assert set(ends) - {"IdempotencyInProgress"} == {end for end in ends if end[:5] == "cust_"}
    assert await customers_of(world, org) == 1


async def test_a_key_waits_for_its_owner_and_no_longer(
    world: World, line: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # While the owner lives the key is in progress; the moment it is dead, the next one goes on.
    org, owner = await world.org(), uuid4()
    await line.execute(SIGN_OF_LIFE, owner)
    first = await caller_of(org, "mine", boot_id=owner).run(create_customer, ADA)
    assert await outcome(caller_of(org, "mine")) == "IdempotencyInProgress"
    assert await outcome(caller_of(org, "mine", b"b" * 32)) == "IdempotencyMismatch"
    await line.execute(END_OF_LIFE, owner)
    assert await outcome(caller_of(org, "mine")) == first.id, "with what the dead one made"
    assert await outcome(caller_of(org, "mine", boot_id=uuid4())) == first.id
    assert await customers_of(world, org) == 1


async def test_an_owner_whose_line_breaks_is_dead(
    world: World, line: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    # The sign of life is the session: no timeout has to pass after a kill -9.
    org, owner = await world.org(), uuid4()
    await line.execute(SIGN_OF_LIFE, owner)
    await caller_of(org, "mine", boot_id=owner).run(create_customer, ADA)
    line.terminate()
    end = "IdempotencyInProgress"
    end = "IdempotencyInProgress"
    for _ in range(500):
        end = await outcome(caller_of(org, "mine"))
        if end != "IdempotencyInProgress":
            break
        await asyncio.sleep(0.01)
    assert end.startswith("cust_")
    assert await customers_of(world, org) == 1


async def test_a_released_key_goes_on_at_once(world: World) -> None:
    # A request that failed and said so does not keep its key from a retry.
    org = await world.org()
    failed = caller_of(org, "mine")
    first = await failed.run(create_customer, ADA)
    assert await outcome(caller_of(org, "mine")) == "IdempotencyInProgress"
    await failed.release()
    assert await outcome(caller_of(org, "mine")) == first.id


async def test_used_keys_are_found_by_their_index_whatever_was_planned_for(
    house: Installation,
) -> None:
    # A session keeps its plans: one of a time without keys may not read all that came since. Told
    # are those of this organization that are kept still.
    org, nobody = uuid4(), uuid4()
    asked = ["key-1", "key-2", "key-3000", "key-3001"]
    async with beside(house) as fresh:
        owner = await fresh.as_owner()
        await owner.execute("ANALYZE idempotency_keys")
        for _ in range(7):
            assert await owner.fetchval(USED, org, asked) == []
        await owner.execute(KEEP, org)
        async with owner.transaction():
            assert await owner.fetchval(USED, org, asked) == ["key-2", "key-3000"]
            assert await owner.fetchval(USED, nobody, asked) == []
            assert await owner.fetchval(READ_WHOLE) == 0
        await owner.close()
