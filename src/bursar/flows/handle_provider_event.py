"""Acts on a provider's event: the same door as every other answer."""

from bursar.operations.payments import SettlePayment, settle_payment
from bursar.operations.provider_events import (
    OpenProviderEvent,
    close_provider_event,
    open_provider_event,
)
from bursar.runtime.app import Caller


async def handle_provider_event(caller: Caller, *, provider: str, event_id: str) -> None:
    """Settle the payment the event speaks of; a second run finds it handled."""
    event = OpenProviderEvent(provider, event_id)
    heard = await caller.run(open_provider_event, event)
    if heard is None or heard.is_handled:
        return
    if heard.payment_id is not None and heard.outcome is not None:
        await caller.run(settle_payment, SettlePayment(heard.payment_id, heard.outcome))
    await caller.run(close_provider_event, event)
