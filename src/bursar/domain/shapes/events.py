"""One logged event in its three dresses: for webhooks and the feed, for a timeline, for an audit.

The resource inside was rendered when the event was told and is passed on byte for byte, so a
delivery that is repeated, replayed or pulled says exactly the same.
"""

from typing import Final, Literal

import msgspec

from bursar.domain.event_log import LoggedEvent
from bursar.domain.shapes.fields import Shape, WireInstant
from bursar.domain.times import wire_instant
from bursar.domain.verification import Stretch

_NULL: Final = msgspec.Raw(b"null")


class EventOut(Shape, frozen=True, kw_only=True):
    """What a webhook carries. `previousAttributes` is null when the resource had just begun."""

    id: str
    type: str
    created_at: WireInstant
    sequence: int
    data: msgspec.Raw
    previous_attributes: msgspec.Raw

    @classmethod
    def of(cls, event: LoggedEvent) -> "EventOut":
        """The event's shape."""
        return cls(
            id=event.id,
            type=event.name,
            created_at=wire_instant(event.recorded_at),
            sequence=event.sequence,
            data=msgspec.Raw(event.snapshot),
            previous_attributes=_NULL if event.previous is None else msgspec.Raw(event.previous),
        )


class TimelineEntryOut(Shape, frozen=True, kw_only=True):
    """One line of a resource's history, as people read it."""

    event_id: str
    event_type: str
    occurred_at: WireInstant
    actor: str
    reason: str | None
    sequence: int
    previous_attributes: msgspec.Raw

    @classmethod
    def of(cls, event: LoggedEvent) -> "TimelineEntryOut":
        """The event as a line of the timeline."""
        return cls(
            event_id=event.id,
            event_type=event.name,
            occurred_at=wire_instant(event.occurred_at),
            actor=event.actor,
            reason=event.reason,
            sequence=event.sequence,
            previous_attributes=_NULL if event.previous is None else msgspec.Raw(event.previous),
        )


class AuditOut(Shape, frozen=True, kw_only=True):
    """Who did what, when, why, and what it changed.

    `before` holds the former values of what changed, and is null for a resource that had just
    begun; `after` is the whole resource.
    """

    id: str
    object: Literal["audit_entry"] = "audit_entry"
    actor: str
    action: str
    resource_type: str
    resource_id: str
    sequence: int
    before: msgspec.Raw
    after: msgspec.Raw
    reason: str | None
    request_id: str
    address: str | None
    created_at: WireInstant
    recorded_at: WireInstant

    @classmethod
    def of(cls, event: LoggedEvent) -> "AuditOut":
        """The event as a line of the audit log."""
        return cls(
            id=event.id,
            actor=event.actor,
            action=event.name,
            resource_type=event.resource_type,
            resource_id=event.resource_id,
            sequence=event.sequence,
            before=_NULL if event.previous is None else msgspec.Raw(event.previous),
            after=msgspec.Raw(event.snapshot),
            reason=event.reason,
            request_id=event.request_id,
            address=event.address,
            created_at=wire_instant(event.occurred_at),
            recorded_at=wire_instant(event.recorded_at),
        )


class ChainCheckOut(Shape, frozen=True, kw_only=True):
    """Whether a part of the chain over the log holds.

    Each link hashes the one before it; `lastHash` is the link at `lastPosition`. `nextPosition` is
    null when the chain ends there, which is at `headPosition`. `offenders` name what was edited,
    deleted or inserted.
    """

    object: Literal["audit_chain_check"] = "audit_chain_check"
    after_position: int
    last_position: int
    last_hash: str
    head_position: int
    is_intact: bool
    offenders: tuple[str, ...]
    next_position: int | None

    @classmethod
    def of(cls, found: Stretch) -> "ChainCheckOut":
        """The verdict's shape."""
        is_end = found.last_position >= found.head_position
        return cls(
            after_position=found.after_position,
            last_position=found.last_position,
            last_hash=found.last_hash.hex(),
            head_position=found.head_position,
            is_intact=not found.offenders,
            offenders=found.offenders,
            next_position=None if is_end else found.last_position,
        )


def event_body(event: LoggedEvent) -> bytes:
    """The exact bytes a webhook carries: what is signed is what is sent."""
    return msgspec.json.encode(EventOut.of(event))
