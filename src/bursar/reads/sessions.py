"""Looks at what somebody did at the door: their sessions, and the history of their account."""

import msgspec

from bursar.domain.access import Permission
from bursar.domain.ids import SessionId, print_id, uuid_of
from bursar.domain.paging import Page, Paged, paged
from bursar.domain.people import AuthEvent, Session
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)


@query(requires=Permission.SELF)
async def own_sessions(tx: ReadTx) -> tuple[Session, ...]:
    """One's own sessions that live, newest first."""
    return tuple(map(_session, await tx.fetch(Q.own_sessions)))


@query(requires=Permission.SELF)
async def auth_history(tx: ReadTx, page: Page) -> Paged[AuthEvent]:
    """What happened at the door of one account, newest first; always on from the last line."""
    assert page.is_cursor, "nobody counts a history"
    rows = await tx.fetch(Q.auth_history, uuid_of(tx.org_id), page.after, page.fetched)
    return paged([*map(_event, rows)], page, total_count=0)


def _session(row: Record) -> Session:
    return Session(
        id=SessionId(print_id("ses", row["id"])),
        address=row["address"],
        user_agent=row["user_agent"],
        created_at=row["created_at"],
        used_at=row["used_at"],
        expires_at=row["expires_at"],
    )


def _event(row: Record) -> AuthEvent:
    return AuthEvent(
        id=print_id("aev", row["id"]),
        type=row["type"],
        actor=row["actor"],
        address=row["address"],
        reason=row["reason"],
        request_id=row["request_id"],
        facts=msgspec.json.decode(row["facts"], type=dict[str, str]),
        recorded_at=row["recorded_at"],
    )
