"""Every named query is one statement that the migrated schema understands, as the application."""

from pathlib import Path

import asyncpg
import pytest
from tests.support.database import Installation

import bursar
from bursar.runtime.sql import Query, beside

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


@pytest.mark.parametrize("query", QUERIES)
async def test_a_query_prepares(house: Installation, query: Query) -> None:
    # Tables, columns, types and the application's own rights.
    connection = await asyncpg.connect(house.app_url)
    try:
        assert (await connection.prepare(query.text)).get_query()
    finally:
        await connection.close()
