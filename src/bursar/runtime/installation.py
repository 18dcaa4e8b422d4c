"""What belongs to one installation besides its settings: its database, its sandbox's secrets.

Light on purpose: the supervisor holds these for as long as the tree lives and plugs nothing in.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from bursar.runtime.embedded import EmbeddedFailed, EmbeddedPostgres
from bursar.runtime.logging import get_log
from bursar.runtime.settings import Settings, child_environment, from_environment, load

_DEMO_ORG: Final = "demo_org.json"
_PORTS: Final = "ports.json"

log = get_log()


class DatabaseUrls(Struct, frozen=True):
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
            log.warning("postgres.failed", reason=str(failed))
        except Exception as fault:
            log.exception("postgres.watch_failed", reason=repr(fault))


def settings_here() -> Settings:
    """This process's settings, at the ports which `bursar run` on their folder took instead.

    Raises:
        SettingsInvalid: a variable is missing or wrong.
    """
    asked = from_environment()
    used = _kept_ports(asked.data_dir)
    ports = {"PORT": asked.port, "SANDBOX_PORT": asked.sandbox_port}
    if used.keys().isdisjoint(ports.values()):
        return asked
    told = {name: str(used.get(port, port)) for name, port in ports.items()}
    return load(child_environment(told))


def keep_ports(folder: Path, used: Mapping[int, int]) -> None:
    """Keep which port was taken instead of which, for the other commands on this folder.

    What a killed tree left is wrong until the next start only, and nobody listens there meanwhile.
    """
    path = folder / _PORTS
    path.unlink(missing_ok=True)
    if used:
        path.write_bytes(msgspec.json.encode(used))


def _kept_ports(folder: Path) -> dict[int, int]:
    try:
        return msgspec.json.decode((folder / _PORTS).read_bytes(), type=dict[int, int])
    except (OSError, msgspec.DecodeError):
        return {}


def sandbox_api_key(settings: Settings) -> str:
    """What Bursar signs in to its own sandbox processor with."""
    return f"sk_test_{settings.derived('sandbox-key').reveal()}"


def sandbox_webhook_secret(settings: Settings) -> str:
    """What the sandbox processor signs its events with."""
    return f"whsec_{settings.derived('sandbox-webhook').reveal()}"


def anchors_path(settings: Settings) -> Path:
    """Where signed heads of the event chains are kept, outside the database."""
    return settings.data_dir / "anchors.jsonl"


class DemoOrg(msgspec.Struct, frozen=True):
    """What is kept of the demo organization, so that a start can show it without asking."""

    org_id: str
    api_key: str
    customers: int = 0
    invoices: int = 0
    failing_cards: int = 0
    is_complete: bool = False


def kept_demo_org(folder: Path) -> DemoOrg | None:
    """What is known of it; nothing before its first step, or when the file is damaged."""
    try:
        return msgspec.json.decode((folder / _DEMO_ORG).read_bytes(), type=DemoOrg)
    except (OSError, msgspec.DecodeError):
        return None


def keep_demo_org(folder: Path, made: DemoOrg) -> None:
    """Keep it, for the owner's eyes only; a kill leaves the old file or the new one."""
    draft = folder / f"{_DEMO_ORG}.draft"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, msgspec.json.encode(made))
    finally:
        os.close(descriptor)
    draft.replace(folder / _DEMO_ORG)
