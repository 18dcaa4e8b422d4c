"""Facts heard from payment providers: one permanent row each."""

from msgspec import Struct

from bursar.domain.ids import PaymentId, RefundId, print_id, uuid_of
from bursar.domain.outcomes import outcome_from_json, outcome_to_json
from bursar.domain.provider import ProviderEvent, Told
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


class Heard(Struct, frozen=True):
    """What an event said about what, whether it was acted on, and when we asked."""

    payment_id: PaymentId | None
    refund_id: RefundId | None
    outcome: Told | None
    is_handled: bool
    asked_at: Instant


async def hear(tx: Tx, provider: str, event: ProviderEvent) -> bool:
    """Keep an event; says whether it is new."""
    touched = await tx.execute(
        Q.hear,
        uuid_of(tx.org_id),
        provider,
        event.event_id,
        event.type,
        None if event.payment_id is None else uuid_of(event.payment_id),
        None if event.outcome is None else outcome_to_json(event.outcome),
        event.occurred_at,
        None if event.refund_id is None else uuid_of(event.refund_id),
    )
    return touched == 1


async def heard(tx: Tx, *, provider: str, event_id: str) -> Heard | None:
    """An event that was kept."""
    row = await tx.fetchrow(Q.heard, uuid_of(tx.org_id), provider, event_id)
    if row is None:
        return None
    payment_id, refund_id = row["payment_id"], row["refund_id"]
    return Heard(
        None if payment_id is None else PaymentId(print_id("pay", payment_id)),
        None if refund_id is None else RefundId(print_id("rfd", refund_id)),
        None if row["outcome"] is None else outcome_from_json(row["outcome"]),
        row["handled_at"] is not None,
        tx.wall,
    )


async def note_handled(tx: Tx, *, provider: str, event_id: str) -> None:
    """The event has had its effect."""
    await tx.execute(Q.handled, uuid_of(tx.org_id), provider, event_id)
