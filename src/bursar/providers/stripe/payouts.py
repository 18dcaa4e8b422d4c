"""Payouts in Stripe's books, and which movements each of them is made of."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bursar.domain.payout_reports import PayoutReport, PayoutStatus
from bursar.domain.reconciliation import ProviderMove
from bursar.domain.times import Instant
from bursar.providers.stripe.amounts import from_units
from bursar.providers.stripe.books import everything
from bursar.providers.stripe.movements import move_of
from bursar.providers.stripe.shapes import BalanceEntry, Payout

if TYPE_CHECKING:
    from stripe._v1_services import V1Services
    from stripe.params import BalanceTransactionListParams, PayoutListParams

_CODE_MAX: Final = 100


async def since(v1: "V1Services", start: Instant) -> tuple[PayoutReport, ...]:
    """Every payout that was made since then, oldest first.

    Raises:
        TooMany: there are more than a listing may hold.
    """

    async def page(after: str | None) -> Any:
        params: PayoutListParams = {"limit": 100, "created": {"gte": int(start.timestamp())}}
        if after is not None:
            params["starting_after"] = after
        return await v1.payouts.list_async(params)

    return tuple(_report(each) for each in reversed(await everything(page, Payout)))


async def moves_of(v1: "V1Services", reference: str) -> tuple[ProviderMove, ...]:
    """The movements that a payout is made of.

    Raises:
        TooMany: there are more than a listing may hold.
    """

    async def page(after: str | None) -> Any:
        params: BalanceTransactionListParams = {
            "limit": 100,
            "payout": reference,
            "expand": ["data.source"],
        }
        if after is not None:
            params["starting_after"] = after
        return await v1.balance_transactions.list_async(params)

    return tuple(move_of(each) for each in await everything(page, BalanceEntry))


def _report(payout: Payout) -> PayoutReport:
    code = payout.failure_code
    return PayoutReport(
        reference=payout.id,
        status=PayoutStatus(payout.status),
        amount=from_units(payout.amount, payout.currency),
        created_at=datetime.fromtimestamp(payout.created, tz=UTC),
        arrives_at=datetime.fromtimestamp(payout.arrival_date, tz=UTC),
        failure_code=None if code is None else code[:_CODE_MAX],
    )
