"""The installation's database, once found to fit, and a probe that asks whether it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from bursar.runtime import clock
from bursar.runtime.installation import DatabaseUrls, database_of
from bursar.runtime.key_rings import key_ring
from bursar.runtime.probing import Probe, probing
from bursar.runtime.schema import DatabaseUnreachable, fit_connection
from bursar.runtime.settings import Settings

_PATIENCE_SECONDS: Final = 30
_POLL_SECONDS: Final = 0.2


@asynccontextmanager
async def fit_database(settings: Settings) -> AsyncIterator[tuple[DatabaseUrls, Probe]]:
    """The database, waited for while it still starts, and a probe on the connection that judged it.

    Raises:
        SchemaUnfit: another release's schema, another key, or a login with too much power.
        DatabaseUnreachable: PostgreSQL did not answer for half a minute.
    """
    async with database_of(settings) as urls:
        probe = Probe(probing(urls.app), await _fit(settings, urls))
        try:
            yield urls, probe
        finally:
            probe.close()


async def _fit(settings: Settings, urls: DatabaseUrls) -> "asyncpg.Connection[asyncpg.Record]":
    context_key = key_ring(settings).key("context")
    deadline = clock.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await fit_connection(
                urls.direct, context_key=context_key, is_production=settings.is_production
            )
        except DatabaseUnreachable:
            if clock.monotonic() > deadline:
                raise
            await asyncio.sleep(_POLL_SECONDS)
