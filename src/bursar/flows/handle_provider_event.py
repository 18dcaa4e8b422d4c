"""Acts on a provider's event: the same doors as every other answer."""

from typing import assert_never

from bursar.domain.dispute_reports import DisputeNamed, DisputeReport
from bursar.domain.provider import (
    ActionRequired,
    CircuitOpen,
    Closed,
    Declined,
    MethodAttached,
    NotFound,
    Processing,
    RefundDone,
    RefundRefused,
    RefundUnderway,
    SetupFailed,
    SetupProven,
    Succeeded,
    Unknown,
)
from bursar.domain.refusals import ProviderFailed
from bursar.operations.disputes import FollowDispute, follow_dispute
from bursar.operations.payment_methods import KeepMethod, follow_setup
from bursar.operations.payments import SettlePayment, settle_payment
from bursar.operations.provider_events import (
    OpenProviderEvent,
    close_provider_event,
    open_provider_event,
)
from bursar.operations.refunds import SettleRefund, settle_refund
from bursar.runtime.app import Caller
from bursar.runtime.logging import get_log

log = get_log()


async def handle_provider_event(caller: Caller, *, provider: str, event_id: str) -> None:
    """Settle what the event speaks of; a second run finds it handled."""
    event = OpenProviderEvent(provider, event_id)
    heard = await caller.run(open_provider_event, event)
    if heard is None or heard.is_handled:
        return
    match heard.outcome:
        case RefundDone() | RefundUnderway() | RefundRefused() as answer:
            assert heard.refund_id is not None
            await caller.run(settle_refund, SettleRefund(heard.refund_id, answer))
        case Succeeded() | Declined() | ActionRequired() | Processing() | Closed() as answer:
            assert heard.payment_id is not None
            await caller.run(settle_payment, SettlePayment(heard.payment_id, answer))
        case DisputeNamed(reference):
            assert heard.payment_id is not None
            report = await _dispute(caller, provider, reference)
            followed = FollowDispute(heard.payment_id, report, heard.asked_at)
            await caller.run(follow_dispute, followed)
        case SetupProven() as proven:
            await _keep_proven(caller, provider, proven)
        case SetupFailed(customer_id, code):
            log.info("setup.failed", customer_id=customer_id, code=code)
        case Unknown() | None:
            pass  # it is kept, and says nothing of the money
        case _:
            assert_never(heard.outcome)
    await caller.run(close_provider_event, event)


async def _keep_proven(caller: Caller, provider: str, told: SetupProven) -> None:
    """The method is the customer's, as the books show it; what is not theirs now stays away.

    Raises:
        ProviderFailed: nothing usable; the task tries again.
    """
    try:
        found = await caller.provider_named(provider).find_method(
            told.customer_reference, method=told.method_reference
        )
    except CircuitOpen as away:
        raise ProviderFailed("The payment provider is away.") from away
    match found:
        case MethodAttached(reference, face):
            keep = KeepMethod(
                customer_id=told.customer_id,
                customer_reference=told.customer_reference,
                provider=provider,
                method_reference=reference,
                face=face,
                is_default=told.is_default,
            )
            await caller.run(follow_setup, keep)
        case NotFound():
            pass
        case Unknown(reason=reason):
            raise ProviderFailed(f"The payment method could not be read: {reason}")


async def _dispute(caller: Caller, provider: str, reference: str) -> DisputeReport:
    """What the books say of a dispute.

    Raises:
        ProviderFailed: nothing usable; the task tries again.
    """
    try:
        report = await caller.provider_named(provider).dispute(reference)
    except CircuitOpen as away:
        raise ProviderFailed("The payment provider is away.") from away
    if isinstance(report, Unknown):
        raise ProviderFailed(f"The dispute could not be read: {report.reason}")
    return report
