"""Migrates one database and ends: the only program that loads Alembic and what it stands on.

Told by one line of JSON on standard input, since neither a login nor a key belongs on a command
line. Says `changed` or `unchanged` on standard output.
"""

import asyncio
import sys

import msgspec

from bursar.runtime.migrations import MigrationBlocked, migrate


class Order(msgspec.Struct, frozen=True):
    """Which database, and the keys of its tenant context in hex, today's first."""

    owner_url: str
    context_keys: list[str]


async def _run(order: Order) -> bool:
    key, *before = map(bytes.fromhex, order.context_keys)
    return await migrate(order.owner_url, context_key=key, before=before)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    try:
        changed = asyncio.run(_run(given))
    except MigrationBlocked as blocked:
        sys.exit(f"bursar: {blocked}")
    sys.stdout.write("changed" if changed else "unchanged")
