"""Looks up people: by address for the operator, by a mailed token for themselves."""

from bursar.domain.access import Permission
from bursar.domain.ids import UserId, print_id
from bursar.domain.people import Mailed
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.MAIL_SEND)
async def user_of_email(tx: ReadTx, email: str) -> UserId | None:
    """Who has this address, for whoever runs this installation."""
    found = await tx.fetchval(Q.user_of_email, email)
    return None if found is None else UserId(print_id("usr", found))


@query(requires=Permission.ANYONE)
async def owner_of_token(tx: ReadTx, hashes: list[bytes], purpose: str) -> Mailed | None:
    """Whom a mailed token belongs to, as long as it works."""
    row = await tx.fetchrow(Q.owner_of_token, hashes, purpose)
    if row is None:
        return None
    return Mailed(UserId(print_id("usr", row["user_id"])), row["email"], row["name"])
