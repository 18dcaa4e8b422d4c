"""An organization's log as evidence: every link with the words it hashes, and the signed heads.

Whoever has the lines needs neither Bursar nor its database to check them.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import msgspec

from bursar.domain.ids import EventId, print_id
from bursar.domain.times import Period
from bursar.domain.verification import KeptLink
from bursar.reads.verify import links, links_of_month
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import Caller
from bursar.runtime.installation import anchors_path

LINK: Final = b'{"kind":"link",'
_AT_ONCE: Final = 1000


async def exported(caller: Caller) -> AsyncIterator[bytes]:
    """The lines: who it is about and which keys sign, then links, then heads."""
    yield _about(caller)
    position = 0
    while found := await caller.look(links, after_position=position, limit=_AT_ONCE):
        for link in found:
            yield msgspec.json.encode(_line(link))
        position = found[-1].position
    for line in _heads(caller):
        yield line


async def archived(caller: Caller, month: Period) -> AsyncIterator[bytes]:
    """The same for the events that were told in a month, in order of their ids."""
    yield _about(caller)
    after: EventId | None = None
    while found := await caller.look(links_of_month, month, after=after, limit=_AT_ONCE):
        for link in found:
            yield msgspec.json.encode(_line(link))
        after = EventId(print_id("evt", found[-1].event_id))
    for line in _heads(caller):
        yield line


def _about(caller: Caller) -> bytes:
    keys = [key.hex() for key in caller.app.keys.head_public_keys()]
    return msgspec.json.encode({"kind": "log", "org": caller.org_id, "publicKeys": keys})


def _heads(caller: Caller) -> Iterator[bytes]:
    app = caller.app
    for head in Anchors(anchors_path(app.settings), app.keys).heads():
        if head.org == caller.org_id:
            yield msgspec.json.encode({"kind": "head", **msgspec.to_builtins(head)})


def _line(link: KeptLink) -> dict[str, object]:
    words = None if link.event is None else list(link.event.spelled())
    return {
        "kind": "link",
        "position": link.position,
        "eventId": f"evt_{link.event_id}",
        "hash": link.hash.hex(),
        "words": words,
        "personal": None if link.personal is None else link.personal.hex(),
    }
