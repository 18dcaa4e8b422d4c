"""Looks up people by address, for signing in."""

from dataclasses import dataclass

from bursar.domain.access import Permission
from bursar.domain.ids import UserId, print_id
from bursar.domain.orgs import User
from bursar.domain.rows import row_to_user
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person and what their password is checked against."""

    user: User
    password_hash: str


@query(requires=Permission.MAIL_SEND)
async def user_of_email(tx: ReadTx, email: str) -> UserId | None:
    """Who has this address, for whoever runs this installation."""
    found = await tx.fetchval(Q.user_of_email, email)
    return None if found is None else UserId(print_id("usr", found))


@query(requires=Permission.ANYONE)
async def credentials_of(tx: ReadTx, email: str) -> Credentials | None:
    """The person with this address; nothing, when nobody has it."""
    row = await tx.fetchrow(Q.find_user, email)
    return None if row is None else Credentials(row_to_user(row), row["password_hash"])
