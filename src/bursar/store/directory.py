"""People and their sessions, through the directory's own functions."""

from dataclasses import dataclass
from datetime import timedelta

from bursar.domain.ids import SessionId, UserId, print_id, uuid_of
from bursar.domain.orgs import User
from bursar.domain.refusals import EmailTaken, NotFound
from bursar.domain.rows import row_to_user
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of a refresh token: `ok`, `reused` (its session is revoked now) or `bad`."""

    verdict: str
    user_id: UserId | None
    session_id: SessionId | None


async def add_user(tx: Tx, user: User, password_hash: str) -> None:
    """A new person.

    Raises:
        EmailTaken: the address belongs to somebody.
    """
    row = uuid_of(user.id), user.email, user.name, password_hash, user.is_operator
    if not await tx.fetchval(Q.add_user, *row):
        raise EmailTaken("This e-mail address is registered already.")


async def open_session(
    tx: Tx, session_id: SessionId, user_id: UserId, *, token_hash: bytes, lives: "Lives"
) -> None:
    """Sign somebody in."""
    await tx.fetchval(
        Q.open_session,
        uuid_of(session_id),
        uuid_of(user_id),
        token_hash,
        lives.session,
        lives.token,
    )


@dataclass(frozen=True, slots=True)
class Lives:
    """How long a session lasts at most, and how long it may idle."""

    session: timedelta
    token: timedelta


async def rotate(tx: Tx, hashes: list[bytes], new_hash: bytes, lives: Lives) -> Rotated:
    """Exchange a refresh token for the next one."""
    row = await tx.fetchrow(Q.rotate_session, hashes, new_hash, lives.token)
    assert row is not None
    user = None if row["user_id"] is None else UserId(print_id("usr", row["user_id"]))
    session = None if row["session_id"] is None else SessionId(print_id("ses", row["session_id"]))
    return Rotated(row["verdict"], user, session)


async def close_session(tx: Tx, hashes: list[bytes]) -> None:
    """End a session; an unknown token ends nothing."""
    await tx.fetchval(Q.close_session, hashes)


async def rehash(tx: Tx, user_id: UserId, password_hash: str) -> None:
    """Keep a stronger hash of the same password."""
    await tx.fetchval(Q.rehash_user, uuid_of(user_id), password_hash)


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
