"""A subscription that is billed through time, without a database: what waits, and what is covered.

The chain keeps what the table of billed periods promises: a period begins where another one of its
charge ends, and none begins or ends twice. Whatever breaks that raises here as it would there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tests.domain.lives import Life

from bursar.domain.agenda import Due
from bursar.domain.agreements import Agreement
from bursar.domain.billed_periods import Cover, Coverage, Step, Tab, Term, step
from bursar.domain.calendars import day_begins
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import MeterId, PendingLineId
from bursar.domain.meters import Meter
from bursar.domain.pending_lines import DropWaiting, PendingLine, WaitingLine
from bursar.domain.subscriptions import Wish
from bursar.domain.times import Instant, Period

STEPS_MAX = 400


class Chain:
    """The covered periods of one charge."""

    def __init__(self) -> None:
        self.covers: list[Cover] = []

    def add(self, cover: Cover) -> None:
        """One more, at its end; one that cuts takes over from where it begins."""
        start = cover.period.start
        if cover.cuts:
            kept = [each for each in self.covers if each.period.start < start]
            self.covers = [_until(each, start) for each in kept]
        assert cover.is_first == (not self.covers), "one begins the chain, the others follow"
        if self.covers:
            assert self.covers[-1].period.end == start, "it follows what is covered"
        self.covers.append(cover)

    @property
    def end(self) -> Instant:
        return self.covers[-1].period.end

    def of(self, kind: Coverage) -> list[Period]:
        """The time that is covered like this, in pieces that do not touch."""
        joined: list[Period] = []
        for each in self.covers:
            if each.kind is not kind:
                continue
            if joined and joined[-1].end == each.period.start:
                joined[-1] = Period(joined[-1].start, each.period.end)
            else:
                joined.append(each.period)
        return joined


def _until(cover: Cover, end: Instant) -> Cover:
    """What is left of a period when another one takes over."""
    return replace(cover, period=Period(cover.period.start, min(cover.period.end, end)))


@dataclass
class BilledLife(Life):
    """A life beside its billing, which comes when it comes."""

    meters: Mapping[MeterId, Meter] = field(default_factory=dict)
    waiting: list[WaitingLine] = field(default_factory=list)
    taken: list[PendingLine] = field(default_factory=list)
    terms: dict[Instant, Term] = field(default_factory=dict)
    plans: list[tuple[Instant, Plan]] = field(default_factory=list)
    chains: dict[MeterId | None, Chain] = field(default_factory=dict)
    next_look: Instant | None = None

    @classmethod
    def open(
        cls, wish: Wish, at: Instant, plans: list[Plan], meters: Mapping[MeterId, Meter]
    ) -> "BilledLife":
        """One that begins; nothing is billed yet."""
        known = {(each.id, each.price_version): each for each in plans}
        agreement = Agreement(wish.draft(at), known, {}, wish.timezone)
        life = cls(agreement, at, periods=[agreement.subscription.period], meters=meters)
        life.take(agreement.begin(at), wish.started_at)
        return life

    def take(self, change: Change, at: Instant) -> list[PendingLine]:
        """What the database would keep of it as well."""
        left = super().take(change, at)
        if any(isinstance(each, DropWaiting) for each in change.pending):
            self.waiting.clear()
        for line in left:
            number = len(self.waiting) + len(self.taken)
            self.waiting.append(WaitingLine(PendingLineId(f"pl_{number}"), line, None, at))
        for item in change.agenda:
            if isinstance(item, Due):
                self.next_look = item.at
        self._note(at)
        return left

    def _note(self, at: Instant) -> None:
        since, plan = self.subscription.agreed_since, self.agreement.plan
        self.terms[since] = Term(since, plan)
        day = max(day_begins(at, self.agreement.timezone), self.subscription.started_at)
        self.plans.append((day, plan))

    def bill(self) -> None:
        """Every step that is due by now."""
        for _ in range(STEPS_MAX):
            if self.next_look is None or self.next_look > self.now:
                return
            self._billed(step(self._tab(), self.now))
        raise AssertionError("billing never comes to an end")

    def _billed(self, done: Step) -> None:
        before = {each.id for each in self.waiting}
        if done.change.rows:
            super().take(replace(done.change, pending=()), done.at)
            self._note(done.at)
        ids = [each.id for each in done.taken]
        assert set(ids) <= before, "a line is taken up once"
        assert len(set(ids)) == len(ids)
        self.waiting = [each for each in self.waiting if each.id not in ids]
        self.lines += done.made
        self.taken += done.lines
        self._cover(done.covers)
        self.next_look = done.next_at

    def _cover(self, covers: Iterable[Cover]) -> None:
        for each in covers:
            self.chains.setdefault(each.meter_id, Chain()).add(each)
            if each.kind is Coverage.USAGE:
                self._require_price(each)

    def _require_price(self, cover: Cover) -> None:
        """Usage costs what was agreed to last: on the first of its days, and still on the last."""
        assert cover.price is not None
        for at in (cover.period.start, cover.period.end - timedelta(microseconds=1)):
            assert cover.price in self._plan_at(at).metered, "it costs what was agreed to last"

    def _plan_at(self, at: Instant) -> Plan:
        """What was agreed to last on the day of an instant or before it, in the order of acts."""
        return [plan for day, plan in self.plans if day <= at][-1]

    def _tab(self) -> Tab:
        waiting = sorted(self.waiting, key=lambda each: each.line.due_at)
        return Tab(
            self.agreement,
            tuple(self.terms[at] for at in sorted(self.terms)),
            self.meters,
            {meter_id: chain.end for meter_id, chain in self.chains.items()},
            tuple(waiting),
        )
