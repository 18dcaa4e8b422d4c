"""Whether a database fits this code: its revision, its context key, and what our login may do.

Asked through the driver alone at the start of every process; changing anything is the business of
`runtime.migrations`. What does not fit is told in one line that says what to do.
"""

from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from bursar.runtime import clock, sql
from bursar.runtime.connections import Connection
from bursar.runtime.crypto import context_mac

Q = sql.beside(__file__)

_VERSIONS: Final = Path(__file__).parent.parent / "migrations" / "versions"
_CONNECT_SECONDS: Final = 5
_CONTEXT_SECONDS: Final = 30
_NO_ORG: Final = UUID(int=0)


class SchemaUnfit(Exception):
    """This code must not run on that database; one line, fit for an operator."""


class DatabaseUnreachable(Exception):
    """Nobody answers at the database's address, or not to our login; it may come later."""


class Login(Struct, frozen=True):
    """Who we are to PostgreSQL, and the powers an application's login must not have."""

    name: str
    powers: tuple[str, ...]


def newest_revision() -> str:
    """The revision this code expects: revisions are numbered, and a file's name begins with it."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


async def revision_of(url: str) -> str | None:
    """The revision a database is at; none, when it was never set up."""
    connection = await _connect(url)
    try:
        return await _revision(connection)
    finally:
        connection.terminate()


async def server_version(url: str) -> str:
    """The number of PostgreSQL's release."""
    connection = await _connect(url)
    try:
        version: str = await connection.fetchval(Q.server_version.text)
    finally:
        connection.terminate()
    return version


async def login_of(url: str) -> Login:
    """The login behind a URL and the powers it has too many."""
    connection = await _connect(url)
    try:
        return await _login(connection)
    finally:
        connection.terminate()


async def fit_connection(
    url: str, *, context_key: bytes, is_production: bool
) -> "asyncpg.Connection[asyncpg.Record]":
    """A connection to a database that this code, this key and this login go with.

    Raises:
        SchemaUnfit: one line says what is wrong and what to do.
        DatabaseUnreachable: it cannot be asked.
    """
    connection = await _connect(url)
    try:
        require_revision(await _revision(connection))
        await _require_key(connection, context_key)
        if is_production:
            _require_humble(await _login(connection))
    except BaseException:
        connection.terminate()
        raise
    return connection


async def require_fit(url: str, *, context_key: bytes, is_production: bool) -> None:
    """Refuse a database that this code, this key or this login does not go with.

    Raises:
        SchemaUnfit: one line says what is wrong and what to do.
        DatabaseUnreachable: it cannot be asked.
    """
    connection = await fit_connection(url, context_key=context_key, is_production=is_production)
    connection.terminate()


def require_revision(found: str | None) -> None:
    """Refuse a schema that is older or newer than this code.

    Raises:
        SchemaUnfit: the other one must be brought along first.
    """
    newest = newest_revision()
    if found is None:
        raise SchemaUnfit("the database is empty; run `bursar migrate`.")
    if found < newest:
        raise SchemaUnfit(
            f"the database is at revision {found}, this release needs {newest}; "
            "run `bursar migrate`."
        )
    if found > newest:
        raise SchemaUnfit(
            f"the database is at revision {found}, this release knows {newest} at most; "
            "install the newer release."
        )


async def is_expected(connection: Connection) -> bool:
    """Whether a process that runs still stands on the schema it was started with."""
    try:
        return await _revision(connection) == newest_revision()
    except asyncpg.SyntaxOrAccessError:
        return False


async def _connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(url, timeout=_CONNECT_SECONDS, statement_cache_size=0)
    except (OSError, TimeoutError) as away:
        reason = str(away) or type(away).__name__
        raise DatabaseUnreachable(f"PostgreSQL cannot be reached: {reason}.") from away
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as refused:
        raise DatabaseUnreachable(f"PostgreSQL refuses the login: {refused}.") from refused


async def _revision(connection: Connection) -> str | None:
    if not await connection.fetchval(Q.has_revision.text):
        return None
    found: str | None = await connection.fetchval(Q.revision.text)
    return found


async def _require_key(connection: "asyncpg.Connection[asyncpg.Record]", key: bytes) -> None:
    if not await _is_key_of(connection, key):
        raise SchemaUnfit(
            "SECRET_KEY is not the one this database was set up with; give that one, "
            "or run `bursar migrate` to set the database up with the new one."
        )


async def _is_key_of(connection: "asyncpg.Connection[asyncpg.Record]", key: bytes) -> bool:
    """Whether the database believes what this key signs."""
    pid = connection.get_server_pid()
    expires = int(clock.now().timestamp()) + _CONTEXT_SECONDS
    mac = context_mac(key, _NO_ORG, backend_pid=pid, expires_epoch=expires)
    try:
        async with connection.transaction():
            context = f"{_NO_ORG}|{pid}|{expires}|{mac}"
            await connection.fetchval(Q.bind_context.text, context)
            await connection.fetchval(Q.bound_org.text)
    except asyncpg.InsufficientPrivilegeError:
        return False
    return True


async def _login(connection: "asyncpg.Connection[asyncpg.Record]") -> Login:
    row = await connection.fetchrow(Q.login_rights.text)
    assert row is not None, "whoever asks has a login"
    held = {
        "is a superuser": row["is_superuser"],
        "bypasses row-level security": row["passes_rls"],
        "owns tables": row["owns_tables"],
    }
    return Login(row["login"], tuple(power for power, is_held in held.items() if is_held))


def _require_humble(login: Login) -> None:
    if login.powers:
        raise SchemaUnfit(
            f"DATABASE_URL logs in as {login.name}, who {' and '.join(login.powers)}; "
            "in production the application's login (bursar_app) may do none of that."
        )
