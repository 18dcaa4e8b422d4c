"""`bursar migrate`: the database at this release's schema, without loading the application."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence

import msgspec

from bursar.cli.output import Quiet, say
from bursar.runtime import logging
from bursar.runtime.installation import database_of, settings_here
from bursar.runtime.key_rings import key_ring
from bursar.runtime.schema import SchemaUnfit, newest_revision, require_revision, revision_of
from bursar.runtime.settings import Settings


def migrate(*, quiet: Quiet = False) -> None:
    """Bring the database to this release's schema."""
    settings = settings_here()
    logging.configure(level="warning", is_development=not settings.is_production)
    is_changed = asyncio.run(_set_up(settings))
    say("schema brought up to date" if is_changed else "schema up to date", is_quiet=quiet)


async def _set_up(settings: Settings) -> bool:
    """Whether anything was done.

    Raises:
        SchemaUnfit: it is newer than this release, or there is no login that may change it.
    """
    async with database_of(settings) as urls:
        if urls.owner is None:
            raise SchemaUnfit("migrations need MIGRATION_DATABASE_URL, the owner's login.")
        if (found := await revision_of(urls.owner)) is not None and found > newest_revision():
            require_revision(found)
        return await _migrated(urls.owner, [*key_ring(settings).keys("context").values()])


async def _migrated(owner_url: str, context_keys: Sequence[bytes]) -> bool:
    """Have it done by a child: what migrations load, no other process of ours should carry."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bursar.migrations", stdin=PIPE, stdout=PIPE
    )
    keys = [key.hex() for key in context_keys]
    order = msgspec.json.encode({"owner_url": owner_url, "context_keys": keys})
    told, _ = await child.communicate(order + b"\n")
    if child.returncode != 0:
        raise SchemaUnfit("the migration failed; what it said stands above.")
    return told == b"changed"
