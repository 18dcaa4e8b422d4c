"""`bursar doctor`: what is wrong with this installation, and how to mend it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import typer

from bursar.cli.desk import Desk, desk
from bursar.cli.failing import Exit
from bursar.cli.output import Output, show_list
from bursar.cli.symptoms import State, Symptom, of_machine, of_redis, of_settings
from bursar.runtime.embedded import EmbeddedFailed
from bursar.runtime.installation import DatabaseUrls, database_of
from bursar.runtime.key_rings import key_ring
from bursar.runtime.schema import (
    DatabaseUnreachable,
    SchemaUnfit,
    login_of,
    require_fit,
    revision_of,
    server_version,
)
from bursar.runtime.settings import Settings
from bursar.runtime.settings_sources import SettingsInvalid
from bursar.runtime.vitals import vitals

_COLUMNS: Final = ("what", "state", "found", "advice")
_FREE_BYTES_MIN: Final = 1 << 30
_CONNECT_SECONDS: Final = 3.0
_NEEDED: Final = ("database", "schema")
_MEBIBYTE: Final = 1 << 20


def examine(context: typer.Context, *, output: Output = None) -> None:
    """Look at everything that could be wrong, and say how to mend it; exit 9 if something is."""
    found = asyncio.run(_examined(desk(context)))
    show_list(found, _COLUMNS, output)
    if any(each.state is State.PROBLEM for each in found):
        raise typer.Exit(Exit.PROBLEMS)


async def _examined(at: Desk) -> list[Symptom]:
    try:
        settings = at.settings
    except SettingsInvalid as wrong:
        return [Symptom("settings", State.PROBLEM, str(wrong), "set the variable it names.")]
    found = [Symptom("settings", State.OK, settings.app_env), _disk(settings)]
    found += [*of_settings(settings), *[each async for each in _database(settings)]]
    if all(each.state is not State.PROBLEM for each in found if each.what in _NEEDED):
        found += await _machine(at, settings)
    found.append(await _listens("api", f"http://127.0.0.1:{settings.port}"))
    found.append(await _listens("sandbox", settings.sandbox_url))
    return found


def _disk(settings: Settings) -> Symptom:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    state = State.OK if free >= _FREE_BYTES_MIN else State.PROBLEM
    advice = "" if state is State.OK else f"make room where {settings.data_dir} is."
    return Symptom("disk", state, f"{free // _MEBIBYTE} MiB free", advice)


async def _machine(at: Desk, settings: Settings) -> list[Symptom]:
    async with at.programs.opened(settings, "doctor") as app:
        found = list(of_machine(await vitals(app.database)))
        if settings.redis_url is not None:
            found.append(of_redis(is_connected=await app.limiter.check()))
        return found


async def _database(settings: Settings) -> AsyncIterator[Symptom]:
    try:
        async with database_of(settings) as urls:
            version = await server_version(urls.direct)
            yield Symptom("database", State.OK, f"PostgreSQL {version}")
            yield await _schema(settings, urls)
            yield await _roles(settings, urls)
    except (EmbeddedFailed, DatabaseUnreachable) as away:
        advice = "start PostgreSQL, or mend DATABASE_URL."
        yield Symptom("database", State.PROBLEM, str(away), advice)


async def _schema(settings: Settings, urls: DatabaseUrls) -> Symptom:
    try:
        key = key_ring(settings).key("context")
        await require_fit(urls.direct, context_key=key, is_production=False)
    except SchemaUnfit as unfit:
        found, _, advice = str(unfit).partition("; ")
        return Symptom("schema", State.PROBLEM, found, advice)
    return Symptom("schema", State.OK, f"revision {await revision_of(urls.direct)}")


async def _roles(settings: Settings, urls: DatabaseUrls) -> Symptom:
    login = await login_of(urls.app)
    if not login.powers:
        return Symptom("roles", State.OK, f"{login.name} owns nothing")
    state = State.PROBLEM if settings.is_production else State.NOTE
    found = f"{login.name} {' and '.join(login.powers)}"
    return Symptom("roles", state, found, "let DATABASE_URL log in as bursar_app.")


async def _listens(what: str, url: str) -> Symptom:
    """Whether somebody listens there; that nobody does is no fault by itself."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError):
        return Symptom(what, State.NOTE, f"nobody answers at {url}", "`bursar run` starts it.")
    writer.close()
    return Symptom(what, State.OK, url)
