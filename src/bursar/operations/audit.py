"""Sealing the event log: a hash chain per organization, behind the writers; its head is told."""

from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.checkpoints import (
    AuditCheckpoint,
    Checkpoint,
    SignedHead,
    first_checkpoint,
    head_text,
)
from bursar.domain.event_chain import Link, continued
from bursar.domain.ids import CheckpointId, uuid_of
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import checkpoints, events
from bursar.store.apply import apply

SEALED_AT_ONCE_MAX: Final = 1000


class SealEvents(Struct, frozen=True):
    """Extend the chain over at most this many events."""

    limit: int = SEALED_AT_ONCE_MAX


@operation(requires=Permission.AUDIT_SEAL)
async def seal_events(tx: Tx, command: SealEvents) -> Link | None:
    """The new head of the chain, or nothing when all is sealed.

    Two sealers cannot fork the chain: positions are unique, the second one fails.
    """
    head = await events.last_link(tx)
    fresh = await events.unsealed(tx, head, command.limit)
    links = list(continued(uuid_of(tx.org_id), head, fresh))
    if not links:
        return None
    await events.seal(tx, links)
    uncovered = sum(event.type != AuditCheckpoint.name for event in fresh)
    if uncovered:
        await checkpoints.note_growth(tx, uncovered)
    return links[-1]


class TellCheckpoint(Struct, frozen=True):
    """Tell the organization where its log now ends."""


@operation(requires=Permission.AUDIT_SEAL)
async def tell_checkpoint(tx: Tx, _command: TellCheckpoint) -> Checkpoint | None:
    """The head that was told, signed; nothing when another worker told it."""
    if not await checkpoints.take_growth(tx):
        return None
    link = await events.last_link(tx)
    assert link is not None, "what has grown was sealed"
    head = _signed(tx, link)
    last = await checkpoints.last(tx)
    change = first_checkpoint(_first(tx, head)) if last is None else last.move_on(head)
    (told,) = (await apply(tx, change)).values()
    assert isinstance(told, Checkpoint)
    return told


def _signed(tx: Tx, link: Link) -> SignedHead:
    text = head_text(tx.org_id, position=link.position, head_hash=link.hash.hex())
    return SignedHead(link, tx.keys.sign_head(text), tx.keys.head_public_key())


def _first(tx: Tx, head: SignedHead) -> Checkpoint:
    return Checkpoint(
        id=CheckpointId(tx.new_id("chk")),
        org_id=tx.org_id,
        position=head.link.position,
        hash=head.link.hash,
        signature=head.signature,
        public_key=head.public_key,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
