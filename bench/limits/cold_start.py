"""The least a start costs: uvicorn, a pool, and one answer for which PostgreSQL was asked."""

import asyncpg

from bench.limits.bare import Message, serve


async def answer(_pool: asyncpg.Pool, _scope: Message, _body: bytes) -> tuple[int, bytes]:
    """The sign of life at `/health` is all there is."""
    return 404, b"{}"


if __name__ == "__main__":
    serve(answer)
