"""Rows of webhook deliveries and their attempts, under the lease of one worker."""

from dataclasses import dataclass
from uuid import UUID

from bursar.domain.events import LoggedEvent
from bursar.domain.ids import DeliveryId, WebhookSubscriptionId, print_id, uuid_of
from bursar.domain.rows import row_to_event
from bursar.domain.sending import WebhookAnswer
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedDelivery:
    """One delivery with everything that goes into its request."""

    subscription_id: WebhookSubscriptionId
    url: str
    secret_sealed: bytes
    is_active: bool
    attempt_count: int
    event: LoggedEvent


async def leased(tx: Tx, delivery_id: DeliveryId, lease: UUID) -> LeasedDelivery | None:
    """The delivery, if this worker still holds its lease."""
    row = await tx.fetchrow(Q.get_delivery, uuid_of(tx.org_id), uuid_of(delivery_id), lease)
    if row is None:
        return None
    return LeasedDelivery(
        subscription_id=WebhookSubscriptionId(print_id("wh", row["subscription_id"])),
        url=row["url"],
        secret_sealed=row["secret_sealed"],
        is_active=row["is_active"],
        attempt_count=row["attempt_count"],
        event=row_to_event(row),
    )


async def settle(
    tx: Tx, delivery_id: DeliveryId, lease: UUID, answer: WebhookAnswer, again_at: Instant | None
) -> bool:
    """Keep the attempt and close or reschedule the delivery; says whether the lease still held."""
    key = uuid_of(tx.org_id), uuid_of(delivery_id)
    status = "pending" if again_at is not None else _final(answer)
    attempt = await tx.fetchval(Q.settle_delivery, *key, lease, status, again_at, answer.status)
    if attempt is None:
        return False
    failure = answer.failure.value if answer.failure is not None else None
    await tx.execute(
        Q.note_attempt, *key, attempt, answer.duration_ms, answer.status, failure, answer.excerpt
    )
    return True


def _final(answer: WebhookAnswer) -> str:
    return "delivered" if answer.verdict.value == "delivered" else "failed"
