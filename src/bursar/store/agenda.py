"""What is due when: one narrow row per organization, kind and subject."""

from bursar.domain.agenda import CLOCK_OF, Due, Undue
from bursar.domain.ids import uuid_of
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def note(tx: Tx, item: Due | Undue) -> None:
    """Put, move or remove an item."""
    key = uuid_of(tx.org_id), item.kind.value, uuid_of(item.subject_id)
    match item:
        case Due(kind, _, at):
            await tx.execute(Q.put, *key, CLOCK_OF[kind].value, at)
        case Undue():
            await tx.execute(Q.remove, *key)
