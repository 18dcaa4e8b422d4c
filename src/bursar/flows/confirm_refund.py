"""The watchdog of refunds: asks the provider's books what became of one, and settles it."""

from bursar.domain.ids import RefundId
from bursar.domain.provider import CircuitOpen, RefundLookup, Unknown
from bursar.domain.refunds import Refund
from bursar.operations.refunds import (
    AskAboutRefund,
    SettleRefund,
    ask_about_refund,
    settle_refund,
)
from bursar.runtime.app import Caller


async def confirm_refund(caller: Caller, refund_id: RefundId) -> Refund:
    """Ask once, settle what is answered, and leave the next question on the agenda."""
    refund, question = await caller.run(ask_about_refund, AskAboutRefund(refund_id))
    if not refund.is_open or question is None:
        return refund
    outcome: RefundLookup
    try:
        outcome = await caller.provider_named(refund.provider).lookup_refund(question)
    except CircuitOpen:
        outcome = Unknown("the line is down")
    return await caller.run(settle_refund, SettleRefund(refund.id, outcome, is_watch=True))
