"""What processors moved, as their own books have it."""

from collections.abc import Sequence

from bursar.domain.ids import PaymentId, RefundId, print_id, uuid_of
from bursar.domain.reconciliation import ProviderMove
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def note(tx: Tx, provider: str, moves: Sequence[ProviderMove]) -> frozenset[PaymentId]:
    """Keep movements of our payments, each once; which of the payments are not settled here."""
    columns = [
        [move.reference for move in moves],
        [move.kind.value for move in moves],
        [move.amount.minor for move in moves],
        [move.fee.minor for move in moves],
        [move.amount.currency for move in moves],
        [move.source for move in moves],
        [None if move.payment_id is None else uuid_of(move.payment_id) for move in moves],
        [None if move.refund_id is None else uuid_of(move.refund_id) for move in moves],
        [move.occurred_at for move in moves],
    ]
    rows = await tx.fetch(Q.note_moves, uuid_of(tx.org_id), provider, *columns)
    return frozenset(PaymentId(print_id("pay", row["id"])) for row in rows)


async def open_refunds(tx: Tx, refund_ids: Sequence[RefundId]) -> list[RefundId]:
    """Of these refunds, those whose answer we have not got."""
    wanted = [uuid_of(each) for each in refund_ids]
    rows = await tx.fetch(Q.open_refunds, uuid_of(tx.org_id), wanted)
    return [RefundId(print_id("rfd", row["id"])) for row in rows]
