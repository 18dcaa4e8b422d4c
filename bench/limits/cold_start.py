"""The least a start costs: uvicorn, a pool, and one answer that asked PostgreSQL something."""

import asyncpg
from bench.limits.bare import Message, serve


async def answer(pool: asyncpg.Pool, _scope: Message, _body: bytes) -> tuple[int, bytes]:
    """200 with what PostgreSQL said."""
    said = await pool.fetchval("SELECT 1")
    return 200, b'{"database": "connected"}' if said == 1 else b"{}"


if __name__ == "__main__":
    serve(answer)
