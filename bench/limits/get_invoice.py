"""The least a look at one document costs: one SELECT by primary key, the stored bytes sent."""

import asyncpg

from bench.limits.bare import Message, serve

SELECT = "SELECT body FROM bench.invoices WHERE id = $1"


async def answer(pool: asyncpg.Pool, scope: Message, _body: bytes) -> tuple[int, bytes]:
    """200 with the document, or 404."""
    text = await pool.fetchval(SELECT, scope["path"].rpartition("_")[2])
    return (404, b"{}") if text is None else (200, text.encode())


if __name__ == "__main__":
    serve(answer)
