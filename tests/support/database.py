"""A migrated PostgreSQL of the test run's own, gone with it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bursar.runtime.embedded import throwaway
from bursar.runtime.key_rings import key_ring
from bursar.runtime.migrations import migrate
from bursar.runtime.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the database is, and the settings that go with it."""

    app_url: str
    owner_url: str
    superuser_url: str
    settings: Settings

    async def as_owner(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection that passes row-level security: for looking behind the curtain."""
        return await asyncpg.connect(self.owner_url)


@asynccontextmanager
async def installation(
    bindir: Path | None = None, *, is_durable: bool = False, **environ: str
) -> AsyncIterator[Installation]:
    """A cluster in a folder of its own, brought to the newest schema.

    One that is killed by its test must be durable, or what it acknowledged may be gone.
    """
    # Not pytest's own temporary folder: as root, PostgreSQL runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="bursar-test-"))
    settings = load({"APP_ENV": "test", "DATA_DIR": str(folder / "data"), **environ})
    try:
        async with throwaway(folder / "postgres", bindir=bindir, is_durable=is_durable) as urls:
            keys = key_ring(settings)
            owner = urls.owner.reveal()
            await migrate(owner, context_key=keys.key("context"))
            yield Installation(urls.app.reveal(), owner, urls.superuser.reveal(), settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def installed() -> Iterator[Installation]:
    """The same for whoever is in no event loop yet, and wants one of another kind."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(stack.enter_async_context(installation()))
        finally:
            runner.run(stack.aclose())
