"""Gives a payment back: begin, ask the provider, settle.

The amount is reserved before anything is asked, and whatever is answered goes through the same
door. The request that began a refund rejoins it after a crash and sends the same key again.
"""

from collections.abc import Callable

from bursar.domain.provider import CircuitOpen, RefundOutcome, RefundRequest, Unknown
from bursar.domain.refunds import Refund, RefundStatus
from bursar.operations.refunds import (
    BeginRefund,
    RefundBegun,
    SettleRefund,
    begin_refund,
    settle_refund,
)
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


async def refund_payment(
    caller: Caller, command: BeginRefund, answer: Callable[[Refund], Answer] | None = None
) -> Refund:
    """One refund, whatever the network does.

    Raises:
        NotRefundable, RefundAboveRest: it is not there to be given back.
    """

    def at_once(begun: RefundBegun) -> Answer | None:
        return answer(begun.refund) if answer is not None and begun.request is None else None

    begun = await caller.run(begin_refund, command, answer=at_once)
    if begun.request is None or caller.is_dry_run:
        return begun.refund
    outcome: RefundOutcome = Unknown("nothing was asked")
    if begun.refund.status is RefundStatus.PENDING:
        outcome = await _ask(caller, begun.refund.provider, begun.request)
    return await caller.run(settle_refund, SettleRefund(begun.refund.id, outcome), answer=answer)


async def _ask(caller: Caller, provider: str, request: RefundRequest) -> RefundOutcome:
    try:
        return await caller.provider_named(provider).refund(request)
    except CircuitOpen:
        return Unknown("the line is down; the watchdog asks later")
