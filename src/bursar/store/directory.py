"""People, their sessions and what is mailed to them, through the directory's own functions.

What takes no person acts for the one whose scope is bound.
"""

from msgspec import Struct

from bursar.domain.ids import SessionId, UserId, print_id, scope_of, uuid_of
from bursar.domain.orgs import User
from bursar.domain.people import (
    IDLE_LIFE,
    LIFE_OF,
    MAIL_TOKENS_HOURLY_MAX,
    SESSION_LIFE,
    TokenPurpose,
)
from bursar.domain.refusals import EmailTaken, NotFound
from bursar.domain.rows import row_to_user
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.runtime.mailed import mailed_token_hashes, new_mailed_token

Q = sql.beside(__file__)


class Credentials(Struct, frozen=True):
    """A person and what their password is checked against."""

    user: User
    password_hash: str


class Rotated(Struct, frozen=True):
    """What became of a refresh token: `ok`, `reused` or `bad`.

    `is_ended`: its session lived until now.
    """

    verdict: str
    user_id: UserId | None
    session_id: SessionId | None
    is_ended: bool


async def add_user(tx: Tx, user: User, password_hash: str) -> None:
    """A new person, in whose scope the transaction goes on.

    Raises:
        EmailTaken: the address belongs to somebody.
    """
    row = uuid_of(user.id), user.email, user.name, password_hash, user.is_operator
    if not await tx.fetchval(Q.add_user, *row):
        raise EmailTaken("This e-mail address is registered already.")
    await tx.bind(scope_of(user.id))


async def find(tx: Tx, email: str) -> Credentials | None:
    """The person with this address; nothing, when nobody has it."""
    row = await tx.fetchrow(Q.find_user, email)
    return None if row is None else Credentials(row_to_user(row), row["password_hash"])


async def user(tx: Tx, user_id: UserId) -> User:
    """One person.

    Raises:
        NotFound: nobody has this id.
    """
    row = await tx.fetchrow(Q.user_by_id, uuid_of(user_id))
    if row is None:
        raise NotFound(f"No user {user_id}.")
    return row_to_user(row)


async def name_operator(tx: Tx, email: str, *, is_operator: bool) -> None:
    """Make somebody an operator of the installation, or no longer.

    Raises:
        NotFound: nobody has this address.
    """
    if not await tx.fetchval(Q.name_operator, email, is_operator):
        raise NotFound(f"Nobody has the address {email}.")


async def oneself(tx: Tx) -> User:
    """The person whose scope is bound."""
    return await user(tx, UserId(print_id("usr", uuid_of(tx.org_id))))


async def own_password(tx: Tx) -> str:
    """What one's own password is checked against."""
    found: str = await tx.fetchval(Q.own_password)
    return found


async def set_password(tx: Tx, password_hash: str) -> None:
    """Keep another password, or a stronger hash of the same one."""
    await tx.fetchval(Q.set_password, password_hash)


async def verify_user(tx: Tx) -> None:
    """One reads the mail of one's address."""
    await tx.fetchval(Q.verify_user)


async def open_session(tx: Tx, token_hash: bytes) -> SessionId:
    """Sign oneself in."""
    session_id = SessionId(tx.new_id("ses"))
    await tx.fetchval(
        Q.open_session,
        uuid_of(session_id),
        token_hash,
        SESSION_LIFE,
        IDLE_LIFE,
        tx.address,
        tx.user_agent,
    )
    return session_id


async def rotate(tx: Tx, hashes: list[bytes], new_hash: bytes) -> Rotated:
    """Exchange a refresh token for the next one."""
    row = await tx.fetchrow(Q.rotate_session, hashes, new_hash, IDLE_LIFE, tx.address)
    assert row is not None
    user_id = None if row["user_id"] is None else UserId(print_id("usr", row["user_id"]))
    session = None if row["session_id"] is None else SessionId(print_id("ses", row["session_id"]))
    return Rotated(row["verdict"], user_id, session, row["is_ended"])


async def close_session(tx: Tx, hashes: list[bytes]) -> tuple[UserId, SessionId] | None:
    """End a session; an unknown token ends nothing."""
    row = await tx.fetchrow(Q.close_session, hashes)
    if row is None:
        return None
    user_id = UserId(print_id("usr", row["user_id"]))
    return user_id, SessionId(print_id("ses", row["session_id"]))


async def end_session(tx: Tx, session_id: SessionId) -> bool:
    """End one of one's own sessions; says whether there was one."""
    return bool(await tx.fetchval(Q.end_session, uuid_of(session_id)))


async def end_sessions(tx: Tx, but: SessionId | None) -> int:
    """End one's own sessions, all of them or all but one; how many there were."""
    kept = None if but is None else uuid_of(but)
    ended: int = await tx.fetchval(Q.end_sessions, kept)
    return ended


async def new_token(tx: Tx, purpose: TokenPurpose) -> str | None:
    """A token to mail to oneself; nothing, when enough were mailed lately."""
    token = new_mailed_token(tx.keys, purpose.value)
    token_hash = mailed_token_hashes(tx.keys, token, purpose=purpose.value)[0]
    is_added = await tx.fetchval(
        Q.add_mail_token, token_hash, purpose.value, LIFE_OF[purpose], MAIL_TOKENS_HOURLY_MAX
    )
    return token if is_added else None


async def use_token(tx: Tx, hashes: list[bytes], purpose: TokenPurpose) -> UserId | None:
    """Whose mailed token it is; the transaction goes on in their scope. It works once."""
    found = await tx.fetchval(Q.use_mail_token, hashes, purpose.value)
    if found is None:
        return None
    user_id = UserId(print_id("usr", found))
    await tx.bind(scope_of(user_id))
    return user_id
