"""Disputes at Stripe: what its books say of one, and whose charge it is about."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bursar.domain.dispute_reports import DisputeMove, DisputeReport, DisputeStatus
from bursar.domain.ids import MalformedId, PaymentId, parse_id
from bursar.domain.provider import NotFound, Unknown
from bursar.providers.stripe.amounts import from_units
from bursar.providers.stripe.shapes import BalanceMove, Dispute, Intent, id_of, read
from bursar.providers.stripe.translate import mismatch

if TYPE_CHECKING:
    from stripe._v1_services import V1Services


async def report(v1: "V1Services", reference: str) -> DisputeReport | Unknown:
    """The dispute as it is now."""
    seen = read(await v1.disputes.retrieve_async(reference), Dispute)
    payment_reference = id_of(seen.payment_intent)
    if seen.id != reference or payment_reference is None:
        return mismatch("dispute")
    due_by = seen.evidence_details.due_by
    return DisputeReport(
        reference=seen.id,
        payment_reference=payment_reference,
        status=DisputeStatus(seen.status),
        amount=from_units(seen.amount, seen.currency),
        reason=seen.reason,
        evidence_due_at=None if due_by is None else datetime.fromtimestamp(due_by, tz=UTC),
        moves=tuple(map(_move, seen.balance_transactions)),
    )


async def owner(v1: "V1Services", payment_reference: str) -> PaymentId | NotFound:
    """The payment whose mark a charge carries."""
    intent = read(await v1.payment_intents.retrieve_async(payment_reference), Intent)
    mark = intent.marks.get("payment_id", "")
    try:
        parse_id("pay", text=mark)
    except MalformedId:
        return NotFound()
    return PaymentId(mark)


def _move(seen: BalanceMove) -> DisputeMove:
    amount, fee = (from_units(units, seen.currency) for units in (seen.amount, seen.fee))
    return DisputeMove(seen.id, amount, fee)
