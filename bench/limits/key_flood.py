"""The least a refusal costs: an empty handler that says no to everybody."""

import asyncpg

from bench.limits.bare import Message, serve


async def answer(_pool: asyncpg.Pool, _scope: Message, _body: bytes) -> tuple[int, bytes]:
    """401, whoever asks."""
    return 401, b"{}"


if __name__ == "__main__":
    serve(answer)
