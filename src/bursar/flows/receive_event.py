"""Hears a provider's event: finds whose it is, and keeps it with the task that acts on it.

The event's own word for the organization is not trusted: the payment says whose it is. A dispute
names only the charge; one that we have not settled yet is asked about, by the mark it carries.
"""

from dataclasses import replace

from bursar.domain.ids import PaymentId
from bursar.domain.provider import CircuitOpen, NotFound, PaymentProvider, ProviderEvent, Unknown
from bursar.domain.refusals import Unavailable
from bursar.operations.provider_events import ReceiveProviderEvent, receive_provider_event
from bursar.runtime.app import Caller


async def receive_event(caller: Caller, provider: PaymentProvider, event: ProviderEvent) -> None:
    """Keep a verified event; one about nothing of ours is let go.

    Raises:
        Unavailable: it cannot be said yet whose it is; the provider tells it again.
    """
    payment_id = event.payment_id
    if payment_id is None and event.payment_reference is not None:
        payment_id = await _payment_of(caller, provider, event.payment_reference)
    org_id = None if payment_id is None else await caller.app.org_of_payment(payment_id)
    if org_id is None:
        return
    heard = replace(event, org_id=org_id, payment_id=payment_id)
    received = ReceiveProviderEvent(provider.name, heard)
    caller = caller.as_org(org_id)
    await caller.run(receive_provider_event, received)


async def _payment_of(
    caller: Caller, provider: PaymentProvider, reference: str
) -> PaymentId | None:
    known = await caller.app.payment_of_reference(provider=provider.name, reference=reference)
    if known is not None:
        return known
    try:
        found = await provider.owner_of(reference)
    except CircuitOpen as away:
        wait = {"retryAfterSeconds": away.retry_after_seconds}
        raise Unavailable("The payment provider is away.", facts=wait) from away
    if isinstance(found, Unknown) and found.is_outage:
        raise Unavailable("The payment provider gave no usable answer.")
    return None if isinstance(found, Unknown | NotFound) else found
