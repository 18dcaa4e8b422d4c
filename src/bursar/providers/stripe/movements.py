"""Everything that moved money at Stripe: its balance transactions, with their causes' marks."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.ids import MalformedId, PaymentId, RefundId, parse_id
from bursar.domain.reconciliation import MoveKind, ProviderMove
from bursar.domain.times import Instant
from bursar.providers.stripe.amounts import from_units
from bursar.providers.stripe.books import everything
from bursar.providers.stripe.shapes import BalanceEntry, MoveSource, id_of

if TYPE_CHECKING:
    from stripe._v1_services import V1Services
    from stripe.params import BalanceTransactionListParams

_KINDS: Final = {
    "charge": MoveKind.CHARGE,
    "payment": MoveKind.CHARGE,
    "refund": MoveKind.REFUND,
    "payment_refund": MoveKind.REFUND,
    "refund_failure": MoveKind.REFUND_FAILURE,
    "payment_failure_refund": MoveKind.REFUND_FAILURE,
    "payout": MoveKind.PAYOUT,
}


async def since(v1: "V1Services", start: Instant) -> tuple[ProviderMove, ...]:
    """Every movement since then, oldest first.

    Raises:
        TooMany: there are more than a listing may hold.
    """

    async def page(after: str | None) -> Any:
        params: BalanceTransactionListParams = {
            "limit": 100,
            "created": {"gte": int(start.timestamp())},
            "expand": ["data.source"],
        }
        if after is not None:
            params["starting_after"] = after
        return await v1.balance_transactions.list_async(params)

    return tuple(move_of(each) for each in reversed(await everything(page, BalanceEntry)))


def move_of(entry: BalanceEntry) -> ProviderMove:
    """One movement in our words."""
    source = entry.source if isinstance(entry.source, MoveSource) else None
    marks = source.marks if source else {}
    payment_id, refund_id = marks.get("payment_id", ""), marks.get("refund_id", "")
    kind = _KINDS.get(entry.type, MoveKind.OTHER)
    if source is not None and source.object == "dispute":
        kind = MoveKind.DISPUTE
    return ProviderMove(
        reference=entry.id,
        kind=kind,
        amount=from_units(entry.amount, entry.currency),
        fee=from_units(entry.fee, entry.currency),
        source=source.id if source else str(entry.source or ""),
        occurred_at=datetime.fromtimestamp(entry.created, tz=UTC),
        payment_reference=id_of(source.payment_intent) if source else None,
        payment_id=PaymentId(payment_id) if _is_id("pay", payment_id) else None,
        refund_id=RefundId(refund_id) if _is_id("rfd", refund_id) else None,
    )


def _is_id(prefix: str, text: str) -> bool:
    try:
        parse_id(prefix, text=text)
    except MalformedId:
        return False
    return True
