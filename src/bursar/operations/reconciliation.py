"""Reconciliation: keep what the processor moved, and find what can be mended by it."""

from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import PaymentId
from bursar.domain.reconciliation import ProviderMove
from bursar.domain.tasks import ConfirmRefund
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import provider_moves


class NoteMoves(Struct, frozen=True):
    """Movements in a processor's books, of payments of this organization."""

    provider: str
    moves: Sequence[ProviderMove]


@operation(requires=Permission.PAYMENT_SETTLE)
async def note_moves(tx: Tx, command: NoteMoves) -> frozenset[PaymentId]:
    """Keep them; says which payments are not settled yet. Open refunds are asked about at once."""
    unsettled = await provider_moves.note(tx, command.provider, command.moves)
    marked = [move.refund_id for move in command.moves if move.refund_id is not None]
    waiting = await provider_moves.open_refunds(tx, marked)
    await tx.enqueue(*map(ConfirmRefund, waiting))
    return unsettled
