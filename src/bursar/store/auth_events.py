"""What people did at the door, told in the scope that is bound: a person's, or nobody's."""

import msgspec

from bursar.domain.ids import uuid_of
from bursar.domain.people import AuthFact
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def tell(tx: Tx, fact: AuthFact, **facts: str) -> None:
    """Tell one fact, with who did it, from where, and why."""
    await tx.execute(
        Q.tell,
        uuid_of(tx.org_id),
        uuid_of(tx.new_id("aev")),
        fact.value,
        tx.actor,
        tx.address,
        tx.reason,
        tx.request_id,
        msgspec.json.encode(facts).decode(),
    )
