"""Hears a provider's event: finds whose it is, and keeps it with the task that acts on it.

The event's own word for the organization is not trusted: the payment says whose it is, and of a
saved method, the organization's own customer. A dispute
names only the charge; one that we have not settled yet is asked about, by the mark it carries. So
does a refund that somebody made at the provider: it is given a record here, and is like any other.
"""

from contextlib import suppress

from bursar.domain.frozen import replace
from bursar.domain.ids import PaymentId
from bursar.domain.provider import (
    CircuitOpen,
    NotFound,
    PaymentProvider,
    ProviderEvent,
    ProviderEventKind,
    RefundDone,
    RefundRefused,
    RefundUnderway,
    Unknown,
)
from bursar.domain.refusals import (
    InsufficientFunds,
    NotRefundable,
    RefundAboveRest,
    Unavailable,
    WalletClosed,
)
from bursar.operations.provider_events import ReceiveProviderEvent, receive_provider_event
from bursar.operations.refunds import AdoptRefund, adopt_refund
from bursar.runtime.app import Caller


async def receive_event(caller: Caller, provider: PaymentProvider, event: ProviderEvent) -> None:
    """Keep a verified event; one about nothing of ours is let go.

    Raises:
        Unavailable: it cannot be said yet whose it is; the provider tells it again.
    """
    heard = event
    if event.kind is not ProviderEventKind.SETUP:
        heard = await _of_payment(caller, provider, event)
    if heard.org_id is None:
        return
    received = ReceiveProviderEvent(provider.name, heard)
    await caller.as_org(heard.org_id).run(receive_provider_event, received)


async def _of_payment(
    caller: Caller, provider: PaymentProvider, event: ProviderEvent
) -> ProviderEvent:
    """The event, about a payment of ours and its organization, or about neither."""
    payment_id = event.payment_id
    if payment_id is None and event.payment_reference is not None:
        payment_id = await _payment_of(caller, provider, event.payment_reference)
    org_id = None if payment_id is None else await caller.app.org_of_payment(payment_id)
    heard = replace(event, org_id=org_id, payment_id=payment_id)
    if org_id is None or heard.kind is not ProviderEventKind.REFUND or heard.refund_id is not None:
        return heard
    return await _adopted(caller.as_org(org_id), heard)


async def _adopted(caller: Caller, heard: ProviderEvent) -> ProviderEvent:
    """The event, about the record of a refund that was made there; else it says nothing.

    What cannot be one of ours, as when more went back than is left, the reconciler names.
    """
    assert heard.payment_id is not None
    amount = reference = None
    match heard.outcome:
        case RefundDone() | RefundUnderway() as there:
            reference, amount = there.reference, there.amount
        case RefundRefused(reference=failed):
            reference = failed
    refund = None
    if reference is not None:
        with suppress(NotRefundable, RefundAboveRest, InsufficientFunds, WalletClosed):
            command = AdoptRefund(heard.payment_id, reference, amount)
            refund = await caller.run(adopt_refund, command)
    if refund is None:
        return replace(heard, outcome=None)
    return replace(heard, refund_id=refund.id)


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
