"""Payouts: what the processor's books say of one becomes true here."""

from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import PayoutId
from bursar.domain.payout_reports import PayoutReport, Share, share_of
from bursar.domain.payouts import Payout, open_payout
from bursar.domain.reconciliation import ProviderMove
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import payouts, provider_moves
from bursar.store.apply import apply


class FollowPayout(Struct, frozen=True):
    """A payout, and the movements in it that are of this organization's payments."""

    provider: str
    report: PayoutReport
    moves: Sequence[ProviderMove]


@operation(requires=Permission.PAYMENT_SETTLE)
async def follow_payout(tx: Tx, command: FollowPayout) -> Payout:
    """Book the organization's share, once; an older report changes nothing."""
    report = command.report
    known = await payouts.of_reference(tx, provider=command.provider, reference=report.reference)
    if known is None:
        await provider_moves.note(tx, command.provider, command.moves)
        new = _new(tx, command, share_of(report, command.moves))
        written = (await apply(tx, open_payout(new, tx.now)))[new.id]
        assert isinstance(written, Payout)
        await payouts.note_moves(tx, written, [move.reference for move in command.moves])
        return written
    change = known.follow(report, tx.now)
    if change is None:
        return known
    written = (await apply(tx, change))[known.id]
    assert isinstance(written, Payout)
    return written


def _new(tx: Tx, command: FollowPayout, share: Share) -> Payout:
    report = command.report
    return Payout(
        id=PayoutId(tx.new_id("po")),
        provider=command.provider,
        provider_reference=report.reference,
        status=report.status,
        amount=share.amount,
        fee=share.fee,
        move_count=share.move_count,
        failure_code=report.failure_code,
        sent_at=report.created_at,
        arrives_at=report.arrives_at,
        version=1,
        sequence=0,
        created_at=tx.wall,
        updated_at=tx.now,
    )
