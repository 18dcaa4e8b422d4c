"""What is due when: one narrow row per organization, kind and subject."""

from collections.abc import Sequence

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


async def note_many(tx: Tx, items: Sequence[Due | Undue]) -> None:
    """The same for many items."""
    due = [each for each in items if isinstance(each, Due)]
    if due:
        await tx.execute(
            Q.put_many,
            uuid_of(tx.org_id),
            [each.kind.value for each in due],
            [uuid_of(each.subject_id) for each in due],
            [CLOCK_OF[each.kind].value for each in due],
            [each.at for each in due],
        )
    over = [each for each in items if isinstance(each, Undue)]
    if over:
        kinds = [each.kind.value for each in over]
        ended = [uuid_of(each.subject_id) for each in over]
        await tx.execute(Q.remove_many, uuid_of(tx.org_id), kinds, ended)
