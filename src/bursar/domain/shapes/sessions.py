"""Sessions and the history of the door, as whoever they belong to sees them. No token."""

from typing import Annotated, Literal

from bursar.domain.ids import SessionId
from bursar.domain.people import AuthEvent, Session
from bursar.domain.shapes.fields import Shape, WireInstant, shown_as
from bursar.domain.times import wire_instant


class SessionOut(Shape, frozen=True, kw_only=True):
    """Somebody signed in, somewhere. `address` is the last one it was used from."""

    id: Annotated[str, shown_as("ses_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")]
    object: Literal["session"] = "session"
    is_current: bool
    address: Annotated[str | None, shown_as("203.0.113.9")]
    user_agent: Annotated[str | None, shown_as("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]
    created_at: WireInstant
    last_used_at: WireInstant
    expires_at: WireInstant

    @classmethod
    def of(cls, session: Session, current: SessionId) -> "SessionOut":
        """The session's shape; `current` is the one that asks."""
        return cls(
            id=session.id,
            is_current=session.id == current,
            address=session.address,
            user_agent=session.user_agent,
            created_at=wire_instant(session.created_at),
            last_used_at=wire_instant(session.used_at),
            expires_at=wire_instant(session.expires_at),
        )


class AuthEventOut(Shape, frozen=True, kw_only=True):
    """One line of the history of an account."""

    id: str
    object: Literal["auth_event"] = "auth_event"
    action: str
    actor: str
    address: str | None
    reason: str | None
    facts: dict[str, str]
    request_id: str
    recorded_at: WireInstant

    @classmethod
    def of(cls, event: AuthEvent) -> "AuthEventOut":
        """The event's shape."""
        return cls(
            id=event.id,
            action=event.type,
            actor=event.actor,
            address=event.address,
            reason=event.reason,
            facts=event.facts,
            request_id=event.request_id,
            recorded_at=wire_instant(event.recorded_at),
        )
