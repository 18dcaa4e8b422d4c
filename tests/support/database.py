"""A migrated PostgreSQL of the test run's own, gone with it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncpg
from msgspec import Struct
from tests.support.lending import end_lending, lent

from bursar.domain.frozen import replace
from bursar.runtime.embedded import throwaway
from bursar.runtime.key_rings import key_ring
from bursar.runtime.migrations import migrate
from bursar.runtime.settings import Settings, load

_numbers = count(1)
_BLANK: Final = "blank"


class Installation(Struct, frozen=True):
    """Where the database is, and the settings that go with it."""

    app_url: str
    owner_url: str
    superuser_url: str
    settings: Settings

    def at(self, database: str) -> "Installation":
        """The same logins and keys in another database of this server."""
        urls = (self.app_url, self.owner_url, self.superuser_url)
        app, owner, superuser = (
            urlsplit(url)._replace(path=f"/{database}").geturl() for url in urls
        )
        return replace(self, app_url=app, owner_url=owner, superuser_url=superuser)

    async def as_owner(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection that passes row-level security: for looking behind the curtain."""
        return await lent(self.owner_url)

    async def as_superuser(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection to this database that may do everything: for planting what goes wrong."""
        return await asyncpg.connect(
            self.superuser_url, database=urlsplit(self.owner_url).path.removeprefix("/")
        )


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
            try:
                yield Installation(urls.app.reveal(), owner, urls.superuser.reveal(), settings)
            finally:
                await end_lending(owner)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def beside(house: Installation, *, is_bare: bool = False) -> AsyncIterator[Installation]:
    """A database of its own on this one's server, as empty as a new installation's.

    Queues, locks and rows are a database's own; only roles and settings of the server are shared.
    A bare one has no schema either.
    """
    superuser = await asyncpg.connect(house.superuser_url)
    name, folder = f"apart_{next(_numbers)}", Path(tempfile.mkdtemp(prefix="bursar-apart-"))
    try:
        if not is_bare:
            await _blank_on(house, superuser)
        await _created(superuser, name, template="template1" if is_bare else _BLANK)
        yield replace(house.at(name), settings=replace(house.settings, data_dir=folder))
    finally:
        await end_lending(house.at(name).owner_url)
        await superuser.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await superuser.close()
        shutil.rmtree(folder, ignore_errors=True)


async def keep_blank(house: Installation) -> None:
    """Copy what the others are copied from, while nobody has worked in the house yet."""
    superuser = await asyncpg.connect(house.superuser_url)
    try:
        template = urlsplit(house.owner_url).path.removeprefix("/")
        await _created(superuser, _BLANK, template=template)
    finally:
        await superuser.close()


async def _blank_on(house: Installation, superuser: "asyncpg.Connection[asyncpg.Record]") -> None:
    """What the others are copied from, made for the first of them: nobody ever works in it."""
    known = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
    if await superuser.fetchval(known, _BLANK):
        return
    await _created(superuser, _BLANK, template="template1")
    context_key = key_ring(house.settings).key("context")
    await migrate(house.at(_BLANK).owner_url, context_key=context_key)


async def _created(
    superuser: "asyncpg.Connection[asyncpg.Record]", name: str, *, template: str
) -> None:
    wanted = f"CREATE DATABASE {name} TEMPLATE {template} OWNER bursar_owner STRATEGY file_copy"
    await superuser.execute(wanted)
    await superuser.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
    await superuser.execute(f"GRANT CONNECT ON DATABASE {name} TO bursar_app, bursar_backup")


@contextmanager
def installed() -> Iterator[Installation]:
    """The same for whoever is in no event loop yet, and wants one of another kind."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            yield runner.run(stack.enter_async_context(installation()))
        finally:
            runner.run(stack.aclose())
