"""Migrates one database and ends: the only program that loads Alembic and what it stands on.

Told by one line of JSON on standard input, since neither a login nor a key belongs on a command
line. Says `changed` or `unchanged` on standard output.
"""

import asyncio
import sys

import msgspec

from bursar.runtime.migrations import migrate


class Order(msgspec.Struct, frozen=True):
    """Which database, and the key of its tenant context in hex."""

    owner_url: str
    context_key: str


async def _run(order: Order) -> bool:
    return await migrate(order.owner_url, context_key=bytes.fromhex(order.context_key))


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    sys.stdout.write("changed" if asyncio.run(_run(given)) else "unchanged")
