"""Sealing the event log: a hash chain per organization, behind the writers."""

from dataclasses import dataclass
from typing import Final

from bursar.domain.access import Permission
from bursar.domain.event_chain import Link, continued
from bursar.domain.ids import uuid_of
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import events

SEALED_AT_ONCE_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class SealEvents:
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
    return links[-1]
