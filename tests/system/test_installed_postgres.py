"""The whole application on an installed PostgreSQL 15, the oldest one we promise.

The store's own tests run on it as well (`tests/store`, by their parameter); here is everything
above them in one breath.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from tests.support.database import Installation, installation
from tests.support.world import World, open_world

import bursar
from bursar.domain.payments import PaymentMode, PaymentStatus
from bursar.reads.verify import checks
from bursar.runtime.postgres_binaries import binaries
from bursar.runtime.sql import Query, beside

pytestmark = pytest.mark.system

MAJOR = 15
QUERIES = [
    pytest.param(query, id=f"{path.parent.name}/{path.stem}/{query.name}")
    for path in sorted(Path(bursar.__file__).parent.glob("*/*.sql"))
    if path.parent.name in {"reads", "store", "runtime"}
    for query in beside(str(path))
]


@pytest.fixture(scope="module")
async def fifteen() -> AsyncIterator[Installation]:
    async with installation(binaries(MAJOR)) as made:
        yield made


@pytest.fixture(scope="module")
async def old_world(fifteen: Installation) -> AsyncIterator[World]:
    async with open_world(fifteen) as made:
        yield made


async def test_it_really_is_that_version(fifteen: Installation) -> None:
    # Or all of this would prove something about another one.
    owner = await fifteen.as_owner()
    assert owner.get_server_version().major == MAJOR
    await owner.close()


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_prepares(fifteen: Installation, query: Query) -> None:
    # No named query needs anything newer.
    connection = await asyncpg.connect(fifteen.app_url)
    try:
        assert (await connection.prepare(query.text)).get_query()
    finally:
        await connection.close()


async def test_an_invoice_is_paid_and_all_agrees(old_world: World) -> None:
    # Card and hosted page, webhooks heard, chain sealed, every check green.
    org = await old_world.org()
    customer = await org.customer()
    paid = await org.pay((await org.invoice(customer)).id)
    assert paid.status is PaymentStatus.SUCCEEDED
    page = await org.pay((await org.invoice(customer)).id, PaymentMode.CHECKOUT)
    assert page.checkout_url is not None
    old_world.type_card(page.checkout_url)
    await old_world.drain()
    await old_world.seal()
    found = await org.caller.look(checks)
    assert {check.name: check.offenders for check in found if not check.is_good} == {}
    assert sum(check.counted for check in found) > 20
