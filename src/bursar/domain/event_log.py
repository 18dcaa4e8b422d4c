"""A fact as the log keeps it, whoever reads it: audit trail, timeline, webhooks or feed."""

from typing import Final

import msgspec
from msgspec import Struct

from bursar.domain.ids import EventId
from bursar.domain.times import Instant


class LoggedEvent(Struct, frozen=True):
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


SALT_BYTES: Final = 16


class _Apart(msgspec.Struct, frozen=True):
    """What is somebody's own, in front of which stands a salt that nobody can guess."""

    snapshot: dict[str, msgspec.Raw]
    previous: dict[str, msgspec.Raw]


class Told(Struct, frozen=True):
    """What a fact says, as it is stored: for good, and apart from it what is somebody's own.

    When what stands apart is gone, the rest still is the resource, without a name.
    """

    snapshot: bytes
    previous: bytes | None
    personal: bytes | None

    def whole(self) -> tuple[bytes, bytes | None]:
        """The resource as it was told, and its former values."""
        if self.personal is None:
            return self.snapshot, self.previous
        apart = msgspec.json.decode(self.personal[SALT_BYTES:], type=_Apart)
        previous = self.previous and _joined(self.previous, apart.previous)
        return _joined(self.snapshot, apart.snapshot), previous


def _joined(stored: bytes, apart: dict[str, msgspec.Raw]) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(stored, type=dict[str, msgspec.Raw]) | apart)
