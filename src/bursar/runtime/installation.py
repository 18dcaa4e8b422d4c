"""What belongs to one installation besides its settings: its database, its sandbox's secrets.

Light on purpose: the supervisor holds these for as long as the tree lives and plugs nothing in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bursar.runtime.embedded import EmbeddedFailed, EmbeddedPostgres
from bursar.runtime.logging import get_log
from bursar.runtime.settings import Settings

log = get_log()


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """Where the application logs in, where it goes past a pooler, and where migrations log in."""

    app: str
    direct: str
    owner: str | None


@asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[DatabaseUrls]:
    """The configured PostgreSQL, or the embedded one for as long as it is needed.

    Raises:
        EmbeddedFailed: the embedded one does not run.
    """
    if settings.database_url is not None:
        app, direct = settings.database_url.reveal(), settings.database_direct_url
        owner = settings.migration_database_url
        yield DatabaseUrls(
            app, direct.reveal() if direct else app, owner.reveal() if owner else None
        )
        return
    embedded = EmbeddedPostgres(settings.data_dir / "postgres")
    urls = await embedded.ensure_running()
    watch = asyncio.create_task(_watch(embedded))
    try:
        app = urls.app.reveal()
        yield DatabaseUrls(app, app, urls.owner.reveal())
    finally:
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        await embedded.release()


async def _watch(embedded: EmbeddedPostgres) -> None:
    """Bring the server back whenever it is gone, and go on after a try that failed."""
    while True:
        try:
            await embedded.watch()
        except EmbeddedFailed as failed:
            log.error("postgres.failed", reason=str(failed))


def sandbox_api_key(settings: Settings) -> str:
    """What Bursar signs in to its own sandbox processor with."""
    return f"sk_test_{settings.derived('sandbox-key').reveal()}"


def sandbox_webhook_secret(settings: Settings) -> str:
    """What the sandbox processor signs its events with."""
    return f"whsec_{settings.derived('sandbox-webhook').reveal()}"


def anchors_path(settings: Settings) -> Path:
    """Where signed heads of the event chains are kept, outside the database."""
    return settings.data_dir / "anchors.jsonl"
