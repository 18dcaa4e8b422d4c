"""The least a number without gaps costs: one row locked and counted up, one document marked."""

import asyncpg

from bench.limits.bare import Message, serve

NUMBER = """
WITH taken AS (UPDATE bench.series AS s SET last = s.last + 1 RETURNING s.last)
INSERT INTO bench.numbers (number) SELECT t.last FROM taken AS t RETURNING number
"""


async def answer(pool: asyncpg.Pool, _scope: Message, _body: bytes) -> tuple[int, bytes]:
    """200 with the number."""
    return 200, b'{"number":%d}' % await pool.fetchval(NUMBER)


if __name__ == "__main__":
    serve(answer)
