"""What payment providers tell us: kept at once, acted on by a task."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.provider import ProviderEvent, SetupFailed, SetupProven
from bursar.domain.refusals import NotFound
from bursar.domain.tasks import HandleProviderEvent
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import customers, inbox
from bursar.store.inbox import Heard


class ReceiveProviderEvent(Struct, frozen=True):
    """A verified event of one of the organization's payments, or of a customer's method."""

    provider: str
    event: ProviderEvent


@operation(requires=Permission.PAYMENT_SETTLE)
async def receive_provider_event(tx: Tx, command: ReceiveProviderEvent) -> bool:
    """Keep the event and the task to act on it, together; says whether it was new.

    One about a customer whom the organization does not have is let go.
    """
    told = command.event.outcome
    if isinstance(told, SetupProven | SetupFailed):
        try:
            await customers.lock(tx, told.customer_id, even_deleted=True)
        except NotFound:
            return False
    is_new = await inbox.hear(tx, command.provider, command.event)
    if is_new and told is not None:
        await tx.enqueue(HandleProviderEvent(command.provider, command.event.event_id))
    return is_new


class OpenProviderEvent(Struct, frozen=True):
    """An event in the inbox."""

    provider: str
    event_id: str


@operation(requires=Permission.PAYMENT_SETTLE)
async def open_provider_event(tx: Tx, command: OpenProviderEvent) -> Heard | None:
    """What the event said."""
    return await inbox.heard(tx, provider=command.provider, event_id=command.event_id)


@operation(requires=Permission.PAYMENT_SETTLE)
async def close_provider_event(tx: Tx, command: OpenProviderEvent) -> None:
    """The event was acted on."""
    await inbox.note_handled(tx, provider=command.provider, event_id=command.event_id)
