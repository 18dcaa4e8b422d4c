"""The hash chain over an organization's events: any edit, gap, swap or insertion breaks it.

Each link hashes the one before it together with everything the event says. The chain alone cannot
show a tail that was cut off or a chain rewritten from the start; signed heads kept outside the
database can.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

FIRST: Final = bytes(32)
"""What the first link of every chain follows."""

_LATER: Final = frozenset({"address", "personal"})


class SealedEvent(Struct, frozen=True):
    """An event as the chain sees it: every column, JSON in the database's own spelling.

    `personal` is the digest of what stands apart, so that this may go and the link still holds.
    """

    id: UUID
    transaction_id: str
    type: str
    payload_version: int
    is_public: bool
    resource_type: str
    resource_id: UUID
    sequence: int
    actor: str
    reason: str | None
    request_id: str
    occurred_at: datetime
    recorded_at: datetime
    snapshot: str
    previous: str | None
    address: str | None
    personal: str | None = None

    def digest(self, org_id: UUID, previous_hash: bytes) -> bytes:
        """SHA-256 over the link before, the organization, and every field with its length."""
        said = [previous_hash, org_id.bytes]
        for text in self.spelled():
            raw = b"" if text is None else text.encode()
            said.append(b"-" if text is None else b"%d:%s" % (len(raw), raw))
        return hashlib.sha256(b"".join(said)).digest()

    def spelled(self) -> Iterator[str | None]:
        """Every field that is hashed, in order, as the text that is hashed."""
        for name in _HASHED:
            value = getattr(self, name)
            if value is None and name in _LATER:
                continue  # links from before these were kept stay as they are
            yield _spelled(value)


# A restored database counts transactions anew.
_HASHED: Final = tuple(each for each in SealedEvent.__struct_fields__ if each != "transaction_id")


class Link(Struct, frozen=True):
    """One link: the event it covers and the hash up to there."""

    position: int
    event_id: UUID
    transaction_id: str
    hash: bytes


def continued(org_id: UUID, head: Link | None, events: Iterable[SealedEvent]) -> Iterator[Link]:
    """The links that follow `head` for these events."""
    position, last = (head.position, head.hash) if head else (0, FIRST)
    for event in events:
        position, last = position + 1, event.digest(org_id, last)
        yield Link(position, event.id, event.transaction_id, last)


def _spelled(value: object) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, datetime) else str(value)
