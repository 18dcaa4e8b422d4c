"""The part of the sample story in which the log's head is told."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from bursar.domain.change import Change
from bursar.domain.checkpoints import Checkpoint, SignedHead, first_checkpoint
from bursar.domain.event_chain import Link
from bursar.domain.ids import CheckpointId, OrgId

_CHECKPOINT: Final = CheckpointId("chk_0195a1b2-c3d4-7021-8000-0123456789ab")
_EVENT: Final = UUID("0195a1b2-c3d4-7999-8000-0123456789ab")


def checkpoint_story(org_id: OrgId, at: datetime) -> Iterator[Change]:
    """A first head, and a later one."""
    first = Checkpoint(
        id=_CHECKPOINT,
        org_id=org_id,
        position=118,
        hash=b"\x3c" * 32,
        signature=b"\x71" * 64,
        public_key=b"\xd7" * 32,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )
    yield first_checkpoint(first)
    head = Link(position=204, event_id=_EVENT, transaction_id="9001", hash=b"\x9f" * 32)
    yield first.move_on(SignedHead(head, signature=b"\x5a" * 64, public_key=b"\xd7" * 32))
