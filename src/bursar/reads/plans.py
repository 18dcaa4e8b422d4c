"""Looks at plans, each with the prices of its current version."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.catalog import Plan, PlanStatus
from bursar.domain.ids import PlanId, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.plan_rows import row_to_plan
from bursar.domain.refusals import NotFound
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)


class PlanFilters(Struct, frozen=True, kw_only=True):
    """Which plans; what is None or empty filters nothing. `text` is part of a name."""

    statuses: tuple[PlanStatus, ...] = ()
    text: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        statuses = [status.value for status in self.statuses] or None
        return statuses, self.text, self.created_from, self.created_before


@query(requires=Permission.PLAN_READ)
async def plan(tx: ReadTx, plan_id: PlanId) -> Plan:
    """One plan.

    Raises:
        NotFound: no such plan in this organization.
    """
    row = await tx.fetchrow(Q.plan, uuid_of(tx.org_id), uuid_of(plan_id))
    if row is None:
        raise NotFound(f"No plan {plan_id}.")
    (found,) = await _with_prices(tx, [row])
    return found


@query(requires=Permission.PLAN_READ)
async def plans_by_ids(tx: ReadTx, ids: Sequence[PlanId]) -> list[Plan]:
    """Those of these plans that are here, each with its current prices."""
    rows = await tx.fetch(Q.plans_by_ids, uuid_of(tx.org_id), [uuid_of(each) for each in ids])
    return await _with_prices(tx, rows)


@query(requires=Permission.PLAN_READ)
async def plans(tx: ReadTx, page: Page, filters: PlanFilters) -> Paged[Plan]:
    """The plans, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.plans.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_plans, org_id, COUNTED_MAX, *wanted)
    return paged(await _with_prices(tx, rows), page, total_count=count)


async def _with_prices(tx: ReadTx, rows: Sequence[Record]) -> list[Plan]:
    prices: defaultdict[object, list[Record]] = defaultdict(list)
    for price in await tx.fetch(
        Q.prices,
        uuid_of(tx.org_id),
        [row["id"] for row in rows],
        [row["price_version"] for row in rows],
    ):
        prices[price["plan_id"]].append(price)
    return [row_to_plan(row, prices[row["id"]]) for row in rows]
