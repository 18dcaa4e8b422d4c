"""Facts told: appended in the transaction that made them true, and sealed into a chain later."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from msgspec import Raw, Struct

from bursar.domain.event_chain import Link, SealedEvent
from bursar.domain.event_log import Told
from bursar.domain.events import Event, Row
from bursar.domain.ids import bare, uuid_of
from bursar.domain.shapes import render
from bursar.domain.shapes.fields import Shape
from bursar.runtime import sql
from bursar.runtime.crypto import random_bytes
from bursar.runtime.db import Tx
from bursar.store.saving import Kept, nested, recordset

Q = sql.beside(__file__)

_NOTHING: Final = UUID(int=0)


class FactRow(Kept):
    """A fact as the log keeps it."""

    id: str
    type: str
    payload_version: int
    is_public: bool
    resource_type: str
    resource_id: str
    sequence: int
    actor: str
    request_id: str
    snapshot: Raw
    reason: str | None = None
    previous: Raw | None = None
    personal: str | None = None


async def append(tx: Tx, events: Sequence[Event], written: Mapping[str, Row]) -> None:
    """Append the events of one change. `written` holds their subjects as they now are."""
    if not events:
        return
    tx.told.extend(event.name for event in events)
    left = {row_id: row.sequence for row_id, row in written.items()}
    sequences: list[int] = []
    for event in reversed(events):
        sequences.append(left[event.subject.id])
        left[event.subject.id] -= 1
    subjects = [written[event.subject.id] for event in events]
    # A row that tells several events is shaped once: it is one state.
    shapes = {row_id: render.shape_of(row) for row_id, row in _by_id(subjects).items()}
    told = [_told(event, shapes[row.id]) for event, row in zip(events, subjects, strict=True)]
    await tx.execute(
        Q.append,
        uuid_of(tx.org_id),
        tx.actor,
        tx.reason,
        tx.request_id,
        tx.now,
        [uuid_of(tx.new_id("evt")) for _ in events],
        [event.name for event in events],
        [event.payload_version for event in events],
        [event.is_public for event in events],
        [render.resource_type(row) for row in subjects],
        [uuid_of(row.id) for row in subjects],
        sequences[::-1],
        [each.snapshot.decode() for each in told],
        [_text(each.previous) for each in told],
        tx.address,
        [each.personal for each in told],
    )


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row.id: row for row in rows}


class Stamp(Struct, frozen=True):
    """Who caused a fact, why, and in which request."""

    actor: str
    reason: str | None
    request_id: str


async def append_many(tx: Tx, told: Sequence[tuple[Event, Stamp]]) -> None:
    """Append facts that several callers caused; each subject is the resource as it then was."""
    if told:
        await tx.execute(Q.append_many, uuid_of(tx.org_id), tx.now, facts(tx, told))


def facts(tx: Tx, told: Sequence[tuple[Event, Stamp]]) -> str:
    """The same as one JSON text, for a statement that writes them together with their subjects."""
    tx.told.extend(event.name for event, _ in told)
    shapes = _shapes(event for event, _ in told)
    return recordset(_fact(tx, event, stamp, shapes) for event, stamp in told)


def _fact(tx: Tx, event: Event, stamp: Stamp, shapes: Mapping[int, Shape]) -> FactRow:
    said = render.told(
        former=None if event.before is None else shapes[id(event.before)],
        latter=shapes[id(event.subject)],
        salt=random_bytes,
    )
    return FactRow(
        bare(tx.new_id("evt")),
        event.name,
        event.payload_version,
        event.is_public,
        render.resource_type(event.subject),
        bare(event.subject.id),
        event.subject.sequence,
        stamp.actor,
        stamp.request_id,
        Raw(said.snapshot),
        stamp.reason,
        nested(said.previous),
        None if said.personal is None else "\\x" + said.personal.hex(),
    )


def _shapes(events: Iterable[Event]) -> dict[int, Shape]:
    """What each state of the resources looks like; a state that two events show is shaped once."""
    shapes: dict[int, Shape] = {}
    for event in events:
        for row in (event.before, event.subject):
            if row is not None and id(row) not in shapes:
                shapes[id(row)] = render.shape_of(row)
    return shapes


async def last_link(tx: Tx) -> Link | None:
    """The head of the organization's chain."""
    row = await tx.fetchrow(Q.last_seal, uuid_of(tx.org_id))
    if row is None:
        return None
    return Link(row["position"], row["event_id"], row["transaction_id"], row["hash"])


async def unsealed(tx: Tx, after: Link | None, limit: int) -> list[SealedEvent]:
    """What the chain does not cover yet, in order."""
    rows = await tx.fetch(
        Q.unsealed,
        uuid_of(tx.org_id),
        after.transaction_id if after else "0",
        after.event_id if after else _NOTHING,
        limit,
    )
    return [SealedEvent(**dict(row)) for row in rows]


async def seal(tx: Tx, links: Sequence[Link]) -> None:
    """Write the next links."""
    await tx.execute(
        Q.seal,
        uuid_of(tx.org_id),
        [link.position for link in links],
        [link.event_id for link in links],
        [link.transaction_id for link in links],
        [link.hash for link in links],
    )


def _told(event: Event, latter: Shape) -> Told:
    former = None if event.before is None else render.shape_of(event.before)
    return render.told(former=former, latter=latter, salt=random_bytes)


def _text(previous: bytes | None) -> str | None:
    return None if previous is None else previous.decode()
