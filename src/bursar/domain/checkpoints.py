"""Checkpoints of the event log: the signed head of its chain, told to whom the log is about.

Whoever keeps what they were told can show later that the log up to there was cut or rewritten, even
by somebody who holds both our database and our key. A checkpoint follows soon after what it covers.
It is an event and so part of the log; checkpoints alone call for no further one.
"""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.change import Change
from bursar.domain.event_chain import Link
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.ids import CheckpointId, OrgId
from bursar.domain.times import Instant

WAIT_MAX: Final = timedelta(minutes=5)
"""How long a sealed event waits at most for the checkpoint that covers it."""
EVENTS_MAX: Final = 1000
"""How many sealed events wait at most."""


class AuditCheckpoint(Event, frozen=True):
    name = "audit.checkpoint"
    is_in_all = False
    when = (
        "The log has grown: its signed head, five minutes or 1,000 events after what it covers "
        "began. Keep it; it shows a log that was cut or rewritten later. Only an endpoint that "
        "names it hears of it; `*` does not mean it."
    )


class SignedHead(Struct, frozen=True):
    """The end of a chain, and who vouches for it; all that anybody needs to verify it."""

    link: Link
    signature: bytes
    public_key: bytes


class Checkpoint(Struct, frozen=True):
    """The last head that an organization was told; one for each, which moves on."""

    id: CheckpointId
    org_id: OrgId
    position: int
    hash: bytes
    signature: bytes
    public_key: bytes
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def move_on(self, head: SignedHead) -> Change:
        """The log has grown up to this head."""
        assert head.link.position > self.position, "a chain only grows"
        after = replace(
            self,
            position=head.link.position,
            hash=head.link.hash,
            signature=head.signature,
            public_key=head.public_key,
            version=self.version + 1,
        )
        return Change(rows=(after,), events=(AuditCheckpoint(after, self),))


def first_checkpoint(checkpoint: Checkpoint) -> Change:
    """The first head that an organization is told."""
    return Change(rows=(checkpoint,), events=(AuditCheckpoint(checkpoint),))


def head_text(org_id: str, *, position: int, head_hash: str) -> bytes:
    """What is signed of a head, its hash in hex."""
    return f"{org_id}|{position}|{head_hash}".encode()
