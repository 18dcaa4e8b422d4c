"""An organization's log as evidence: every link with the words it hashes, and the signed heads.

Whoever has the lines needs neither Bursar nor its database to check them.
"""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from bursar.domain.verification import KeptLink
from bursar.reads.verify import links
from bursar.runtime.anchors import Anchors
from bursar.runtime.app import Caller
from bursar.runtime.installation import anchors_path

_AT_ONCE: Final = 1000


async def exported(caller: Caller) -> AsyncIterator[bytes]:
    """The lines: who it is about and which keys sign, then links, then heads."""
    app, org_id = caller.app, caller.org_id
    keys = [key.hex() for key in app.keys.head_public_keys()]
    yield msgspec.json.encode({"kind": "log", "org": org_id, "publicKeys": keys})
    position = 0
    while found := await caller.look(links, after_position=position, limit=_AT_ONCE):
        for link in found:
            yield msgspec.json.encode(_line(link))
        position = found[-1].position
    for head in Anchors(anchors_path(app.settings), app.keys).heads():
        if head.org == org_id:
            yield msgspec.json.encode({"kind": "head", **msgspec.to_builtins(head)})


def _line(link: KeptLink) -> dict[str, object]:
    words = None if link.event is None else list(link.event.spelled())
    return {
        "kind": "link",
        "position": link.position,
        "eventId": f"evt_{link.event_id}",
        "hash": link.hash.hex(),
        "words": words,
    }
