"""The least that durable usage events cost: COPY of the same rows into the same table."""

import asyncio
import itertools
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import asyncpg

ROWS = 1_000
COLUMNS = (
    *("org_id", "idempotency_key", "id", "subscription_id", "meter_id", "quantity"),
    *("occurred_at", "day", "properties", "value", "distinct_value", "recorded_at"),
)
# Rows of nobody's: the limit adds nothing up and knows no key.
NOBODY = uuid.UUID("00000000-0000-7000-8000-000000000002")


def _rows(stamp: str, first: int) -> Iterator[tuple[object, ...]]:
    now = datetime.now(UTC)
    for number in range(first, first + ROWS):
        key = f"{stamp}-{number:012d}"
        subscription = uuid.UUID(int=number % 100)
        yield (
            *(NOBODY, key, uuid.uuid4(), subscription, NOBODY, 5),
            *(now, now.date(), '{"region": "eu"}', 5, None, now),
        )


async def copy(url: str, *, connections: int, seconds: float) -> float:
    """Rows a second that these connections copy in, a thousand a commit."""
    stamp, counter = uuid.uuid4().hex[:8], itertools.count(0, ROWS)
    started = time.perf_counter()

    async def one() -> int:
        connection = await asyncpg.connect(url)
        copied = 0
        try:
            while time.perf_counter() - started < seconds:
                rows = _rows(stamp, next(counter))
                await connection.copy_records_to_table(
                    "usage_events", records=rows, columns=COLUMNS
                )
                copied += ROWS
        finally:
            await connection.close()
        return copied

    copied = await asyncio.gather(*(one() for _ in range(connections)))
    return sum(copied) / (time.perf_counter() - started)
