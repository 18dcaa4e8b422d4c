"""Reads what moved in a processor's books since the last time, keeps it, and mends what it can.

A payment that the processor took and that was never settled here goes through the same door as
every answer; so does a dispute. A refund that was made there is given a record here. Payouts are
booked from the same books. The rest is told.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeVar

from bursar.domain.dispute_reports import DisputeReport
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.provider import CircuitOpen, PaymentProvider, Succeeded, Unknown
from bursar.domain.reconciliation import OVERLAP, PAYOUTS_SINCE, MoveKind, ProviderMove
from bursar.domain.refusals import (
    InsufficientFunds,
    NotRefundable,
    ProviderFailed,
    RefundAboveRest,
    WalletClosed,
)
from bursar.domain.times import Instant
from bursar.operations.disputes import FollowDispute, follow_dispute
from bursar.operations.payments import SettlePayment, settle_payment
from bursar.operations.payouts import FollowPayout, follow_payout
from bursar.operations.reconciliation import NoteMoves, note_moves
from bursar.operations.refunds import AdoptRefund, adopt_refund
from bursar.runtime import clock
from bursar.runtime.app import App, Caller

Read = TypeVar("Read")


async def reconcile_books(caller: Caller, provider: PaymentProvider) -> int:
    """One look at the processor's books, for every organization; how many movements it saw.

    Raises:
        ProviderFailed: they could not be read; the next look begins where this one did.
    """
    until = await caller.app.books_read_until(provider.name)
    if until is None:
        return 0
    try:
        return await _read_books(caller, provider, until)
    except CircuitOpen as away:
        raise ProviderFailed("The payment provider is away.") from away


async def _read_books(caller: Caller, provider: PaymentProvider, until: Instant) -> int:
    moves = _believed(await provider.moves_since(until - OVERLAP))
    by_org = await _by_org(caller.app, provider.name, moves)
    for org_id, own in by_org.items():
        await _reconcile(caller.as_org(org_id), provider, own)
    await _follow_payouts(caller, provider)
    return len(moves)


async def _follow_payouts(caller: Caller, provider: PaymentProvider) -> None:
    """Book what went to the bank; a payout is read again only when its state has changed."""
    listed = _believed(await provider.payouts_since(clock.now() - PAYOUTS_SINCE))
    for report in listed:
        names = {"provider": provider.name, "reference": report.reference}
        if await caller.app.payout_read(**names) == report.status.value:
            continue
        moves = _believed(await provider.moves_of_payout(report.reference))
        for org_id, own in (await _by_org(caller.app, provider.name, moves)).items():
            followed = FollowPayout(provider.name, report, own)
            await caller.as_org(org_id).run(follow_payout, followed)
        await caller.app.note_payout_read(**names, status=report.status.value)


def _believed(answer: Read | Unknown) -> Read:
    if isinstance(answer, Unknown):
        raise ProviderFailed(f"The processor's books could not be read: {answer.reason}")
    return answer


async def _by_org(
    app: App, provider: str, moves: Sequence[ProviderMove]
) -> dict[OrgId, list[ProviderMove]]:
    """The movements of our payments, by whose they are; the payment says, never the mark alone."""
    found: dict[OrgId, list[ProviderMove]] = defaultdict(list)
    for move in moves:
        own = await _owned(app, provider, move)
        org_id = None if own.payment_id is None else await app.org_of_payment(own.payment_id)
        if org_id is not None:
            found[org_id].append(own)
    return found


async def _owned(app: App, provider: str, move: ProviderMove) -> ProviderMove:
    if move.payment_id is not None or move.payment_reference is None:
        return move
    known = await app.payment_of_reference(provider=provider, reference=move.payment_reference)
    return replace(move, payment_id=known)


async def _reconcile(
    caller: Caller, provider: PaymentProvider, moves: Sequence[ProviderMove]
) -> None:
    unsettled = await caller.run(note_moves, NoteMoves(provider.name, moves))
    for move in moves:
        assert move.payment_id is not None
        reference = move.payment_reference
        if move.kind is MoveKind.CHARGE and move.payment_id in unsettled and reference:
            taken = Succeeded(reference, move.amount)
            await caller.run(settle_payment, SettlePayment(move.payment_id, taken))
        elif move.kind is MoveKind.REFUND and move.refund_id is None:
            await _adopt(caller, move.payment_id, move)
        elif move.kind is MoveKind.DISPUTE:
            asked_at = clock.now()
            report = await _dispute(provider, move.source)
            if report is not None:
                followed = FollowDispute(move.payment_id, report, asked_at)
                await caller.run(follow_dispute, followed)


async def _adopt(caller: Caller, payment_id: PaymentId, move: ProviderMove) -> None:
    """Somebody gave money back there: it is given a record, whose watchdog asks how it stands.

    What cannot be one of ours stays a difference.
    """
    with suppress(NotRefundable, RefundAboveRest, InsufficientFunds, WalletClosed):
        await caller.run(adopt_refund, AdoptRefund(payment_id, move.source, -move.amount))


async def _dispute(provider: PaymentProvider, reference: str) -> DisputeReport | None:
    try:
        report = await provider.dispute(reference)
    except CircuitOpen:
        return None
    return None if isinstance(report, Unknown) else report
