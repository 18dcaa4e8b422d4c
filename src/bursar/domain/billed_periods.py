"""Billed periods: up to when each charge of a subscription is covered, and what is due next.

A charge is the subscription's own fee, billed in advance, or one meter, billed when its period is
over. The periods of a charge follow each other without gap or overlap: what nothing is asked for (a
trial, a pause) is a period too, of nothing. So whether something is due is never a question of what
ran before, only of how far a charge is covered. One step is taken at a time, the earliest first:
after an outage each missed period is billed once, in order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from bursar.domain.agreements import Agreement
from bursar.domain.calendars import day_begins
from bursar.domain.catalog import Plan
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, MeterId, PriceId, SubscriptionId
from bursar.domain.meters import Meter
from bursar.domain.money import Money
from bursar.domain.pending_lines import PendingKind, PendingLine, WaitingLine
from bursar.domain.pricing import Price
from bursar.domain.subscriptions import Subscription
from bursar.domain.times import Instant, Period


class Coverage(StrEnum):
    """What covers a period of a charge."""

    FEE = "fee"
    USAGE = "usage"
    TRIAL = "trial"  # nothing is charged yet
    PAUSE = "pause"  # nothing was provided


FREE = frozenset({Coverage.TRIAL, Coverage.PAUSE})


class Cover(Struct, frozen=True):
    """A period of a charge that is covered; without a meter it is the fee.

    Usage has its price beside it, and a quantity and an amount once it is counted. `is_first` when
    nothing before it is covered; `cuts` when one that was covered beyond its start ends there now.
    """

    meter_id: MeterId | None
    period: Period
    kind: Coverage
    price_id: PriceId | None = None
    price: Price | None = None
    amount: Money | None = None
    quantity: int = 0
    is_first: bool = False
    cuts: bool = False


class BilledPeriod(Struct, frozen=True):
    """A covered period as the books keep it."""

    subscription_id: SubscriptionId
    invoice_id: InvoiceId | None
    cover: Cover


class Term(Struct, frozen=True):
    """What was agreed to from an instant on, until the next term."""

    since: Instant
    plan: Plan


class Run(Struct, frozen=True):
    """A time in which a meter is charged for by one price; without an end it still is."""

    start: Instant
    end: Instant | None
    price: Price


class Tab(Struct, frozen=True):
    """What billing knows of a subscription: what was agreed to, and how far it is covered.

    `released` are the starts of periods whose invoice was voided, and which no other has covered.
    """

    agreement: Agreement
    terms: tuple[Term, ...]
    meters: Mapping[MeterId, Meter]
    covered: Mapping[MeterId | None, Instant]
    waiting: tuple[WaitingLine, ...] = ()
    released: frozenset[Instant] = field(default=frozenset())

    @property
    def subscription(self) -> Subscription:
        """The subscription as it is."""
        return self.agreement.subscription

    def runs(self) -> dict[MeterId, list[Run]]:
        """When each meter was charged for, by which price.

        Usage is counted by the day, and a day is priced by what holds at its end: a change counts
        from the beginning of its day.
        """
        runs: dict[MeterId, list[Run]] = {}
        for place, term in enumerate(self.terms):
            start = self._day(term.since)
            later = self.terms[place + 1 :]
            end = self._day(later[0].since) if later else None
            if end is not None and end <= start:
                continue  # changed again on the same day
            for price in term.plan.metered:
                assert price.terms.meter_id is not None
                _lengthen(runs.setdefault(price.terms.meter_id, []), Run(start, end, price))
        return runs

    def _day(self, at: Instant) -> Instant:
        started_at = self.subscription.started_at
        return max(day_begins(at, self.agreement.timezone), started_at)

    def after(self, change: Change) -> "Tab":
        """The tab with the subscription as a change leaves it."""
        agreement = self.agreement.after(change)
        since = agreement.subscription.agreed_since
        terms = self.terms
        if since != self.subscription.agreed_since:
            terms = (*terms, Term(since, agreement.plan))
        return replace(self, agreement=agreement, terms=terms)


def _lengthen(runs: list[Run], run: Run) -> None:
    """The same price again goes on."""
    if runs and runs[-1].end == run.start and runs[-1].price.id == run.price.id:
        runs[-1] = replace(runs[-1], end=run.end)
    else:
        runs.append(run)


class Step(Struct, frozen=True):
    """What happens to a subscription at an instant: its change, and what is billed and covered.

    `tab` is how it stands afterwards, and `next_at` when billing has to look again.
    """

    at: Instant
    tab: Tab
    change: Change
    taken: tuple[WaitingLine, ...]
    covers: tuple[Cover, ...]
    next_at: Instant | None
    is_first: bool

    @property
    def subscription(self) -> Subscription:
        """The subscription after the step."""
        return self.tab.subscription

    @property
    def made(self) -> tuple[PendingLine, ...]:
        """The lines that the step itself leaves."""
        return _pending(self.change)

    @property
    def lines(self) -> tuple[PendingLine, ...]:
        """What is billed besides usage: what had waited, and what the step itself costs."""
        return (*(each.line for each in self.taken), *self.made)

    @property
    def usage(self) -> tuple[Cover, ...]:
        """The periods whose usage is billed."""
        return tuple(each for each in self.covers if each.kind is Coverage.USAGE)


def step(tab: Tab, now: Instant) -> Step:
    """The earliest step that is due; when none is, what waits to be billed is billed now."""
    at = min(_next(tab) or now, now)
    subscription, change, after = tab.subscription, Change(), tab
    if subscription.is_running and subscription.period.end == at:
        change = replace(tab.agreement.turn(), agenda=())
        after = tab.after(change)
    taken = tuple(each for each in tab.waiting if _wanted(each.line) <= at)
    left = tuple(each for each in tab.waiting if _wanted(each.line) > at)
    after = replace(after, waiting=left)
    waited = [each.line for each in taken]
    covers = (*_fees(after, waited, _pending(change), at), *_usage(tab, at))
    after = replace(after, covered=_reached(tab.covered, covers))
    return Step(at, after, change, taken, covers, _next(after, since=at), not tab.covered)


def _pending(change: Change) -> tuple[PendingLine, ...]:
    return tuple(each for each in change.pending if isinstance(each, PendingLine))


def _next(tab: Tab, *, since: Instant | None = None) -> Instant | None:
    """When something is due: a period is over, or a line that waits has its time.

    Parts of a period that are due already wait for the next invoice and ask for none themselves.
    """
    subscription = tab.subscription
    instants = [end for end, _ in _metering(tab).values()]
    if subscription.is_running:
        instants.append(subscription.period.end)
    instants.extend(
        _wanted(each.line)
        for each in tab.waiting
        if _is_own(each.line) or (since is not None and each.line.due_at > since)
    )
    return min(instants, default=None)


def _wanted(line: PendingLine) -> Instant:
    """When a line is billed: one for a period with it, even where the period began in the past."""
    return min(line.due_at, line.period.start) if _is_own(line) else line.due_at


def _is_own(line: PendingLine) -> bool:
    return line.kind is PendingKind.SUBSCRIPTION


def _metering(tab: Tab) -> dict[MeterId, tuple[Instant, list[Run]]]:
    """When the period that each meter is counted in is over, and the runs that are not covered."""
    subscription, timezone = tab.subscription, tab.agreement.timezone
    last = subscription.ended_at or subscription.period.end
    found = {}
    for meter_id, runs in tab.runs().items():
        covered = tab.covered.get(meter_id, subscription.started_at)
        left = [run for run in runs if run.end is None or run.end > covered]
        start = max(left[0].start, covered) if left else last
        if start < last:
            cycle = subscription.cycle(left[0].price.terms.interval, timezone)
            found[meter_id] = (min(cycle.period_at(start).end, last), left)
    return found


def _usage(tab: Tab, at: Instant) -> Iterator[Cover]:
    """Every meter whose period ends now, run by run, and the time it was not charged for."""
    trial_end = tab.subscription.trial_end
    is_free = trial_end is not None and at <= trial_end
    for meter_id, (end, runs) in _metering(tab).items():
        if end != at:
            continue
        until = tab.covered.get(meter_id)
        for run in runs:
            start = run.start if until is None else max(run.start, until)
            if start >= at:
                break
            if until is not None and until < start:
                yield Cover(meter_id, Period(until, start), Coverage.PAUSE)
            period = Period(start, at if run.end is None else min(run.end, at))
            kind = Coverage.TRIAL if is_free else Coverage.USAGE
            price = None if is_free else run.price
            price_id = None if is_free else run.price.id
            yield Cover(meter_id, period, kind, price_id, price, is_first=until is None)
            until = period.end


def _fees(
    tab: Tab, waited: Sequence[PendingLine], made: Sequence[PendingLine], at: Instant
) -> list[Cover]:
    """What the lines cover, and the time that none of them is for.

    Lines come in the order in which they were left: a later one that begins within the period of
    another takes over from there. One that the step makes follows what is covered, or is refused by
    the chain of periods.
    """
    subscription, covered = tab.subscription, tab.covered.get(None)
    found, until = list[Cover](), covered
    for place, line in enumerate((*waited, *made)):
        if not _is_own(line):
            continue
        is_waited = place < len(waited)
        start, is_again = line.period.start, line.period.start in tab.released
        if not is_again:
            found = [*_ended(found, start), *_unasked(tab, until, start)]
        cover = Cover(
            None,
            line.period,
            Coverage.FEE,
            price_id=line.price_id,
            amount=line.amount,
            is_first=start == subscription.started_at,
            cuts=is_waited and covered is not None and start < covered and not is_again,
        )
        found.append(cover)
        until = max(until, line.period.end) if is_again and until else line.period.end
    is_charged = not tab.agreement.plan.own_price.is_metered
    waits = any(_is_own(each.line) for each in tab.waiting)
    if is_charged and subscription.period.start <= at and not waits:
        found.extend(_unasked(tab, until, subscription.ended_at or subscription.period.end))
    return found


def _ended(covers: Iterable[Cover], at: Instant) -> Iterator[Cover]:
    """What is left of periods when another one takes over at an instant."""
    for each in covers:
        if each.period.end <= at:
            yield each
        elif each.period.start < at:
            yield replace(each, period=Period(each.period.start, at))


def _unasked(tab: Tab, until: Instant | None, end: Instant) -> Iterator[Cover]:
    start = tab.subscription.started_at if until is None else until
    if start < end:
        trial_end = tab.subscription.trial_end
        is_trial = trial_end is not None and end <= trial_end
        kind = Coverage.TRIAL if is_trial else Coverage.PAUSE
        yield Cover(None, Period(start, end), kind, is_first=until is None)


def _reached(
    covered: Mapping[MeterId | None, Instant], covers: Iterable[Cover]
) -> dict[MeterId | None, Instant]:
    reached = dict(covered)
    for each in covers:
        known = reached.get(each.meter_id)
        if known is None or each.cuts or each.period.end > known:
            reached[each.meter_id] = each.period.end
    return reached
