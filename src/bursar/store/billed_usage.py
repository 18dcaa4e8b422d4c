"""Usage as it is billed: what the days of a period add up to, and what came late.

A day that is counted is locked first and settled at the end, so whatever is reported meanwhile
waits, unsettles the day again, and is found by the next invoice: no event is lost between two.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from bursar.domain import ids
from bursar.domain.billed_periods import FREE, BilledPeriod, Cover, Step, Tab
from bursar.domain.billed_rows import row_to_billed_period
from bursar.domain.billing import Late, Portion
from bursar.domain.calendars import day_in, day_start
from bursar.domain.ids import MeterId, PriceId, UsageEventId, print_id, uuid_of
from bursar.domain.meters import Aggregation
from bursar.domain.plan_rows import row_to_price
from bursar.domain.pricing import Price
from bursar.domain.times import Day, Instant, Period
from bursar.domain.usage import Tally
from bursar.domain.usage_rows import row_to_tally
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


class Window(Struct, frozen=True):
    """A period of a meter, as days; `is_whole` where it has no part of one."""

    tab: Tab
    meter_id: MeterId
    period: Period

    @property
    def first(self) -> Day:
        """The day it begins in."""
        return day_in(self.period.start, self.tab.agreement.timezone)

    @property
    def after(self) -> Day:
        """The day after the last one it has a part of."""
        return day_in(self.period.end - _TICK, self.tab.agreement.timezone) + _DAY

    @property
    def is_whole(self) -> bool:
        """Whether nothing of its days lies outside of it: before a start nobody uses anything."""
        timezone, subscription = self.tab.agreement.timezone, self.tab.subscription
        begins = {day_start(self.first, timezone), subscription.started_at}
        ends = {day_start(self.after, timezone), subscription.ended_at}
        return self.period.start in begins and self.period.end in ends

    @property
    def tells_apart(self) -> bool:
        """Whether its quantity is how many different values there are."""
        return self.tab.meters[self.meter_id].aggregation is Aggregation.UNIQUE


class _Again(Struct, frozen=True):
    """A period that was billed before and has days since then that no invoice knows all of."""

    window: Window
    billed: BilledPeriod
    known_at: Instant


class Counted(Struct, frozen=True):
    """A portion, and the days that were looked at for it: bare ids and the day."""

    portion: Portion
    days: tuple[tuple[UUID, UUID, Day], ...] = ()


async def count(tx: Tx, steps: Sequence[Step]) -> list[Counted]:
    """The steps with what was used in their periods, and with what came late for others."""
    again = await _again(tx, steps)
    covered = [
        [(_window(step.tab, each), each.kind in FREE) for each in step.covers if each.meter_id]
        for step in steps
    ]
    late = [[(each.window, each.billed.cover.kind in FREE) for each in row] for row in again]
    windows = [each for row in (*covered, *late) for each in row]
    if not windows:
        return [Counted(Portion(step)) for step in steps]
    days = await _lock(tx, [window for window, _ in windows])
    tallies = iter(await _tallies(tx, [window for window, is_free in windows if not is_free]))
    used = [tuple([next(tallies) for _, is_free in row if not is_free]) for row in covered]
    return [
        Counted(
            Portion(
                step,
                mine,
                await _late(tx, [(each, next(tallies)) for each in _billed(row)]),
                known_at=tx.wall,
            ),
            tuple(days.get(uuid_of(step.subscription.id), ())),
        )
        for step, mine, row in zip(steps, used, again, strict=True)
    ]


async def settle(tx: Tx, counted: Sequence[Counted]) -> None:
    """Invoices know all of these days now, as they were when they were locked."""
    days = [day for each in counted for day in each.days]
    if days:
        columns = [list(column) for column in zip(*days, strict=True)]
        await tx.execute(Q.settle_days, uuid_of(tx.org_id), *columns)


async def _lock(tx: Tx, windows: Sequence[Window]) -> dict[UUID, list[tuple[UUID, UUID, Day]]]:
    """Days of usage that stay as they are until we end, by subscription."""
    found: dict[UUID, list[tuple[UUID, UUID, Day]]] = defaultdict(list)
    for row in await tx.fetch(Q.lock_days, uuid_of(tx.org_id), *_days(windows)):
        day = row["subscription_id"], row["meter_id"], row["day"]
        found[row["subscription_id"]].append(day)
    return found


async def _again(tx: Tx, steps: Sequence[Step]) -> list[list[_Again]]:
    """For each step, the periods before it that are not what they were when they were billed."""
    asked = [(place, *each) for place, step in enumerate(steps) for each in _known(step)]
    found: list[list[_Again]] = [[] for _ in steps]
    if not asked:
        return found
    timezone = steps[0].tab.agreement.timezone
    rows = await tx.fetch(
        Q.late_periods,
        uuid_of(tx.org_id),
        [uuid_of(steps[place].subscription.id) for place, _, _ in asked],
        [uuid_of(meter_id) for _, meter_id, _ in asked],
        [day_in(until - _TICK, timezone) for _, _, until in asked],
        timezone,
    )
    places = {steps[place].subscription.id: place for place, _, _ in asked}
    for row in rows:
        tab = steps[places[_subscription(row["subscription_id"])]].tab
        billed = row_to_billed_period(row, tab.agreement.currency)
        window = _window(tab, billed.cover)
        found[places[billed.subscription_id]].append(_Again(window, billed, row["known_at"]))
    return found


def _subscription(value: object) -> ids.SubscriptionId:
    return ids.SubscriptionId(f"sub_{value}")


def _known(step: Step) -> list[tuple[MeterId, Instant]]:
    """Up to when each meter had been billed before the step."""
    until: dict[MeterId, Instant] = {}
    for meter_id, reached in step.tab.covered.items():
        if meter_id is not None:
            starts = [each.period.start for each in step.covers if each.meter_id == meter_id]
            until[meter_id] = min(starts, default=reached)
    firsts = {each.meter_id for each in step.covers if each.is_first}
    return [(meter_id, at) for meter_id, at in until.items() if meter_id not in firsts]


def _billed(again: Sequence[_Again]) -> list[_Again]:
    return [each for each in again if each.billed.cover.kind not in FREE]


async def _late(tx: Tx, counted: Sequence[tuple[_Again, Tally]]) -> tuple[Late, ...]:
    """Billed periods with what they come to now, and the events that came since."""
    if not counted:
        return ()
    prices = await _prices(tx, [again.billed for again, _ in counted])
    return tuple(
        [
            Late(
                again.billed,
                prices[again.billed.cover.price_id],
                again.window.tab.meters[again.window.meter_id],
                tally,
                await _events(tx, again),
                known_at=tx.wall,
            )
            for again, tally in counted
        ]
    )


async def _prices(tx: Tx, billed: Sequence[BilledPeriod]) -> dict[PriceId | None, Price]:
    keys = [uuid_of(each.cover.price_id) for each in billed if each.cover.price_id]
    rows = await tx.fetch(Q.prices_by_id, uuid_of(tx.org_id), keys)
    return {each.id: each for each in map(row_to_price, rows)}


async def _events(tx: Tx, again: _Again) -> tuple[UsageEventId, ...]:
    window = again.window
    rows = await tx.fetch(
        Q.late_events,
        uuid_of(tx.org_id),
        uuid_of(window.tab.subscription.id),
        uuid_of(window.meter_id),
        window.period.start,
        window.period.end,
        again.known_at,
    )
    return tuple(UsageEventId(print_id("ue", row["id"])) for row in rows)


async def _tallies(tx: Tx, windows: Sequence[Window]) -> list[Tally]:
    """What each window adds up to."""
    tallies = [Tally()] * len(windows)
    apart = [window.tells_apart for window in windows]
    if windows:
        days = _days(windows)
        for row in await tx.fetch(Q.tallies_of_days, uuid_of(tx.org_id), *days, apart):
            tallies[row["place"] - 1] = row_to_tally(row)
    for place, window in enumerate(windows):
        if not window.is_whole:
            tallies[place] = await _tally(tx, window)
    return tallies


async def _tally(tx: Tx, window: Window) -> Tally:
    row = await tx.fetchrow(
        Q.tally_of_events,
        uuid_of(tx.org_id),
        uuid_of(window.tab.subscription.id),
        uuid_of(window.meter_id),
        window.period.start,
        window.period.end,
    )
    assert row is not None, "a sum is a row"
    return row_to_tally(row)


def _window(tab: Tab, cover: Cover) -> Window:
    assert cover.meter_id is not None, "a fee counts nothing"
    return Window(tab, cover.meter_id, cover.period)


def _days(windows: Sequence[Window]) -> tuple[list[object], ...]:
    return (
        [uuid_of(each.tab.subscription.id) for each in windows],
        [uuid_of(each.meter_id) for each in windows],
        [each.first for each in windows],
        [each.after for each in windows],
    )
