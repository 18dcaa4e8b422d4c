"""The roles and the database that every cluster of ours starts with.

Owns who may log in and what each role is allowed by its attributes; grants on tables belong to the
migrations. Running it again changes nothing but brings passwords and attributes back.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

DATABASE: Final = "bursar"
_TIMEOUT_SECONDS: Final = 30

# Attributes of each role. Only the owner and the backup pass row-level security; only the owner
# may make roles; the app owns nothing and may create nothing.
_ROLES: Final = {
    "bursar_owner": "LOGIN NOSUPERUSER BYPASSRLS CREATEROLE NOCREATEDB NOREPLICATION",
    "bursar_app": "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
    "bursar_lane": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
    "bursar_directory": "NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
    "bursar_backup": "LOGIN NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION",
}
_HELD_BY_OWNER: Final = ("bursar_app", "bursar_lane", "bursar_directory", "bursar_backup")
_CLOSED_DATABASES: Final = ("postgres", "template1")


async def ensure_roles(superuser_url: str, passwords: Mapping[str, str]) -> None:
    """Bring roles and database to what this release expects; safe to run at every start."""
    connection = await asyncpg.connect(
        superuser_url, database="postgres", timeout=_TIMEOUT_SECONDS, statement_cache_size=0
    )
    try:
        known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        await connection.execute("\n".join(_role_statements(known, passwords)))
        if not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", DATABASE
        ):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER bursar_owner")
        await connection.execute("\n".join(_database_statements()))
    finally:
        await connection.close(timeout=_TIMEOUT_SECONDS)


def _role_statements(known: set[str], passwords: Mapping[str, str]) -> list[str]:
    statements = [f"CREATE ROLE {role};" for role in _ROLES if role not in known]
    statements += [f"ALTER ROLE {role} {attributes};" for role, attributes in _ROLES.items()]
    for role, password in passwords.items():
        if role in _ROLES:
            assert password.isalnum(), "it stands inside a literal"
            statements.append(f"ALTER ROLE {role} PASSWORD '{password}';")
    # With the admin option the owner can hand tables and functions to these roles.
    held = ", ".join(_HELD_BY_OWNER)
    statements.append(f"GRANT {held} TO bursar_owner WITH ADMIN OPTION;")
    statements.append("ALTER ROLE bursar_backup SET default_transaction_read_only = on;")
    statements.append("GRANT pg_read_all_data TO bursar_backup;")
    return statements


def _database_statements() -> list[str]:
    statements = [
        f"REVOKE CONNECT ON DATABASE {database} FROM PUBLIC;" for database in _CLOSED_DATABASES
    ]
    statements.append(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;")
    statements.append(f"GRANT CONNECT ON DATABASE {DATABASE} TO bursar_app, bursar_backup;")
    return statements
