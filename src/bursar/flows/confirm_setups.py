"""The watch over setups: asks the provider's books what a customer has proven, and keeps it.

The event of a setup may never come, and whoever began it may never ask again; the card is kept
nevertheless. Repeating it is harmless: what was kept, or detached since, stays as it is.
"""

from datetime import timedelta
from typing import Final

from bursar.domain.ids import CustomerId
from bursar.domain.provider import CircuitOpen, SetupSeen, Unknown
from bursar.operations.payment_methods import (
    AskAboutSetups,
    KeepMethod,
    WatchSetups,
    ask_about_setups,
    follow_setup,
    watch_setups,
)
from bursar.runtime.app import Caller

_AGAIN: Final = timedelta(hours=1)


async def confirm_setups(caller: Caller, customer_id: CustomerId) -> None:
    """Ask once, keep what was proven, and leave the next question on the agenda if one is left."""
    question = await caller.run(ask_about_setups, AskAboutSetups(customer_id))
    provider = caller.app.providers.get(question.mode)
    if provider is None or question.is_over:
        return  # a live organization without a live provider has nobody to ask
    seen: tuple[SetupSeen, ...] | Unknown = Unknown("the customer is not known there yet")
    if question.customer_reference is not None:
        try:
            seen = await provider.setups_since(
                question.customer_reference, org_id=question.org_id, since=question.since
            )
        except CircuitOpen:
            seen = Unknown("the line is down")
    mine = () if isinstance(seen, Unknown) else [one for one in seen if one.is_of(customer_id)]
    for one in mine:
        if one.method is not None:
            assert question.customer_reference is not None, "it was asked about"
            keep = KeepMethod(
                customer_id=customer_id,
                customer_reference=question.customer_reference,
                provider=provider.name,
                method_reference=one.method.reference,
                face=one.method.face,
                is_default=one.is_default,
            )
            await caller.run(follow_setup, keep)
    if isinstance(seen, Unknown) or any(one.method is None for one in mine):
        await caller.run(watch_setups, WatchSetups(customer_id, _AGAIN))
