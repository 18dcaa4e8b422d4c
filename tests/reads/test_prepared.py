"""Every named query is one statement that the migrated schema understands, as the application."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest
from tests.support.database import Installation

import bursar
from bursar.runtime.sql import Query, beside

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

FILES = sorted(Path(bursar.__file__).parent.glob("*/*.sql"))
QUERIES = [
    pytest.param(query, id=f"{path.parent.name}/{path.stem}/{query.name}")
    for path in FILES
    if path.parent.name in {"reads", "store", "runtime"}
    for query in beside(str(path))
]


def test_the_queries_were_found() -> None:
    # An empty list would prove nothing.
    assert len(QUERIES) > 50


@pytest.fixture(scope="module")
async def connection(house: Installation) -> AsyncIterator[Connection]:
    """A session of the application: each query is only prepared in it, so one serves them all."""
    session = await asyncpg.connect(house.app_url)
    yield session
    await session.close()


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_prepares(connection: Connection, query: Query) -> None:
    # Tables, columns, types and the application's own rights.
    assert (await connection.prepare(query.text)).get_query()
