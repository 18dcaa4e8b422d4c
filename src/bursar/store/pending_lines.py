"""Rows of lines that wait for an invoice."""

import msgspec

from bursar.domain.ids import SubscriptionId, uuid_of
from bursar.domain.pending_lines import WAITING_MAX, DropWaiting, Pending, PendingLine
from bursar.domain.refusals import LimitReached
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)


async def note(tx: Tx, item: Pending) -> None:
    """Keep a line, or forget those of a subscription that has not begun.

    Raises:
        LimitReached: too many lines of the subscription wait already.
    """
    match item:
        case PendingLine():
            await _add(tx, item)
        case DropWaiting(subscription_id):
            await tx.execute(Q.drop_waiting, uuid_of(tx.org_id), uuid_of(subscription_id))


async def require_room(tx: Tx, subscription_id: SubscriptionId) -> None:
    """Check that an invoice can still take up what waits.

    Raises:
        LimitReached: too many lines of the subscription wait already.
    """
    waiting = await tx.fetchval(Q.count_waiting, uuid_of(tx.org_id), uuid_of(subscription_id))
    if waiting >= WAITING_MAX:
        raise LimitReached(f"{waiting} lines of {subscription_id} wait for its next invoice.")


async def _add(tx: Tx, line: PendingLine) -> None:
    await tx.execute(
        Q.add_line,
        uuid_of(tx.org_id),
        uuid_of(tx.new_id("pl")),
        uuid_of(line.customer_id),
        uuid_of(line.subscription_id),
        line.kind.value,
        line.description,
        line.quantity,
        line.unit_amount,
        line.amount.minor,
        line.amount.currency,
        uuid_of(line.price_id),
        line.period.start,
        line.period.end,
        line.is_discountable,
        line.due_at,
        msgspec.json.encode(line.derivation).decode(),
        tx.now,
    )
