"""A fact as the log keeps it, whoever reads it: audit trail, timeline, webhooks or feed."""

from dataclasses import dataclass

from bursar.domain.ids import EventId
from bursar.domain.times import Instant


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A fact as the log keeps it: rendered when it was told, and never again.

    `occurred_at` is business time, `recorded_at` the wall clock. `snapshot` is the resource as the
    world saw it right after; `previous` are the former values of the fields that changed, and None
    for a resource that had just begun.
    """

    id: EventId
    name: str
    is_public: bool
    resource_type: str
    resource_id: str
    sequence: int
    actor: str
    reason: str | None
    request_id: str
    address: str | None
    occurred_at: Instant
    recorded_at: Instant
    snapshot: bytes
    previous: bytes | None
