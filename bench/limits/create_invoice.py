"""The least a durable draft costs: the body as it came, by one INSERT."""

import uuid

import asyncpg

from bench.limits.bare import Message, serve

INSERT = "INSERT INTO bench.invoices (id, body) VALUES ($1, $2)"


async def answer(pool: asyncpg.Pool, _scope: Message, body: bytes) -> tuple[int, bytes]:
    """201 with the body, once it is durable."""
    await pool.execute(INSERT, uuid.uuid4(), body.decode())
    return 201, body


if __name__ == "__main__":
    serve(answer)
