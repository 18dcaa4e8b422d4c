"""Movements of recurring revenue, written in the transaction of whatever moved it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from bursar.domain.analytics import Figure, Measure
from bursar.domain.catalog import Plan
from bursar.domain.currencies import Currency
from bursar.domain.discounts import Coupon
from bursar.domain.events import Event
from bursar.domain.ids import CouponId, PlanId, uuid_of
from bursar.domain.money import Money
from bursar.domain.mrr import Movement, Turn, Worth, monthly, movement, turns
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store import coupons, plans

Q = sql.beside(__file__)

_MEASURES: Final = {kind: Measure(f"mrr_{kind.value}") for kind in Movement}


class _Moved(Struct, frozen=True):
    """One movement: of which subscription, by how much, and what it is worth then."""

    turn: Turn
    kind: Movement
    by: Money
    worth: Money


async def follow(tx: Tx, events: Sequence[Event]) -> tuple[Figure, ...]:
    """Write the movements that facts about subscriptions make; what they add to the figures."""
    found = turns(events)
    moved = await _moved(tx, found) if found else []
    if not moved:
        return ()
    await tx.execute(
        Q.add_movements,
        uuid_of(tx.org_id),
        tx.now,
        [uuid_of(each.turn.subscription.id) for each in moved],
        [each.turn.subscription.version for each in moved],
        [uuid_of(each.turn.subscription.customer_id) for each in moved],
        [each.kind.value for each in moved],
        [each.by.currency for each in moved],
        [each.by.minor for each in moved],
        [each.worth.minor for each in moved],
    )
    return (*_figures(tx, moved), *await _subscribers(tx, moved))


async def _moved(tx: Tx, found: Sequence[Turn]) -> list[_Moved]:
    prices = await _Prices.of(tx, found)
    keys = [uuid_of(turn.subscription.id) for turn in found]
    rows = await tx.fetch(Q.worths, uuid_of(tx.org_id), keys)
    known: dict[UUID, int] = {row["subscription_id"]: row["mrr_minor"] for row in rows}
    moved: list[_Moved] = []
    for key, turn in zip(keys, found, strict=True):
        currency = prices.currency(turn)
        former = Money(known.get(key, 0), currency)
        worth = Money.zero(currency) if turn.after is None else prices.worth(turn.after)
        kind = movement(before=former, after=worth, was_ever_worth=key in known)
        known[key] = worth.minor
        if kind is not None:
            moved.append(_Moved(turn, kind, worth - former, worth))
    return moved


def _figures(tx: Tx, moved: Sequence[_Moved]) -> Iterator[Figure]:
    for each in moved:
        yield Figure(_MEASURES[each.kind], each.by.currency, tx.now, each.by.minor)


async def _subscribers(tx: Tx, moved: Sequence[_Moved]) -> list[Figure]:
    """Customers who begin to be worth something, or are worth nothing any more."""
    by: Counter[tuple[UUID, Currency]] = Counter()
    for each in moved:
        by[uuid_of(each.turn.subscription.customer_id), each.by.currency] += each.by.minor
    columns = map(list, zip(*by, strict=True))
    rows = await tx.fetch(Q.move_subscribers, uuid_of(tx.org_id), *columns, list(by.values()))
    found: list[Figure] = []
    for row in rows:
        currency, now = Currency(row["currency"]), row["mrr_minor"]
        before = now - by[row["customer_id"], currency]
        if (before > 0) != (now > 0):
            measure = Measure.SUBSCRIBERS_GAINED if now else Measure.SUBSCRIBERS_LOST
            found.append(Figure(measure, currency, tx.now))
    return found


class _Prices(Struct, frozen=True):
    """The plans and coupons that some turns name."""

    plans: dict[tuple[PlanId, int], Plan]
    coupons: dict[CouponId, Coupon]

    @classmethod
    async def of(cls, tx: Tx, found: Sequence[Turn]) -> "_Prices":
        """All of them, each looked up once."""
        worths = [each for turn in found for each in (turn.before, turn.after) if each is not None]
        keys = {(each.agreed.plan_id, each.agreed.plan_version) for each in worths}
        coupon_ids = {coupon_id for each in worths for coupon_id in each.coupon_ids}
        return cls(
            {key: await plans.get_version(tx, *key) for key in keys},
            {each: await coupons.get(tx, each) for each in coupon_ids},
        )

    def currency(self, turn: Turn) -> Currency:
        """What the subscription is paid in."""
        known = turn.after or turn.before
        assert known is not None, "a turn leads from something, or to something"
        return self._plan(known).currency

    def worth(self, worth: Worth) -> Money:
        """What it comes to a month."""
        taken = [self.coupons[each] for each in worth.coupon_ids]
        return monthly(self._plan(worth), worth.agreed.quantity, taken)

    def _plan(self, worth: Worth) -> Plan:
        return self.plans[worth.agreed.plan_id, worth.agreed.plan_version]
