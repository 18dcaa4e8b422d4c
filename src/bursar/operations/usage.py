"""Usage: take events in, once each; tell of thresholds that were reached."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.ids import MeterId, SubscriptionId, UsageAggregateId, UsageEventId, print_id
from bursar.domain.meters import Meter
from bursar.domain.refusals import Refusal
from bursar.domain.tasks import CheckThresholds
from bursar.domain.times import Instant
from bursar.domain.usage import (
    EVENTS_MAX,
    CountedSubscription,
    Limits,
    UsageAggregate,
    UsageEvent,
    UsageReport,
    count,
    meter_of,
    reached,
    tell,
    unknown_meter,
    unknown_subscription,
)
from bursar.reads.usage import summarized
from bursar.runtime.app import operation
from bursar.runtime.convoys import Rider, convoy
from bursar.runtime.db import Tx
from bursar.store import usage
from bursar.store.apply import apply

# Of so many requests, each with a hundred events at most (see `flows/report_usage.py`), a statement
# stays far from its time-out.
RIDERS_MAX: Final = 20


class Taken(msgspec.Struct, frozen=True):
    """An event that is in the books; `is_new` when this request brought it."""

    event: UsageEvent
    is_new: bool


Verdict: TypeAlias = Taken | Refusal


class IngestUsage(Struct, frozen=True):
    """Events to take in, each by itself."""

    reports: Sequence[UsageReport]
    late_days_max: int


@operation(requires=Permission.USAGE_WRITE)
async def ingest_usage(tx: Tx, command: IngestUsage) -> tuple[Verdict, ...]:
    """A verdict for each event, in their order; the good ones are taken whatever the others are."""
    (verdicts,) = await _ingested(tx, [command])
    return verdicts


@convoy(requires=Permission.USAGE_WRITE, lanes=2, size_max=RIDERS_MAX)
async def ingest_together(
    tx: Tx, riders: Sequence[Rider[IngestUsage]]
) -> Sequence[tuple[Verdict, ...]]:
    """The same for many requests, in as many statements as one takes."""
    return await _ingested(tx, [rider.command for rider in riders])


@operation(requires=Permission.USAGE_WRITE)
async def record_usage(tx: Tx, command: IngestUsage) -> Taken:
    """One event, taken or refused.

    Raises:
        NotFound: no such subscription.
        UsageKeyTaken: the key belongs to another event.
        InvalidInput: too early, too late, or without what the meter looks at.
    """
    ((verdict,),) = await _ingested(tx, [command])
    if isinstance(verdict, Refusal):
        raise verdict
    return verdict


class CheckUsage(Struct, frozen=True):
    """What was used of this meter may have reached a threshold."""

    subscription_id: SubscriptionId
    meter_id: MeterId


@operation(requires=Permission.USAGE_WRITE)
async def check_thresholds(tx: Tx, command: CheckUsage) -> int:
    """Tell of each threshold that was reached, once a period; gives how many were told."""
    summary = await summarized(tx, command.subscription_id, None)
    told = 0
    for line in summary.lines:
        if line.meter is None or line.meter.id != command.meter_id:
            continue
        known = await usage.told_thresholds(
            tx, command.subscription_id, line.meter.id, line.period.start
        )
        for threshold in reached(line.meter, line.quantity, known):
            aggregate = UsageAggregate(
                id=UsageAggregateId(tx.new_id("ua")),
                subscription_id=command.subscription_id,
                meter_id=line.meter.id,
                period=line.period,
                threshold=threshold,
                quantity=line.quantity,
                version=1,
                sequence=0,
                created_at=tx.now,
                updated_at=tx.now,
            )
            await apply(tx, tell(aggregate))
            told += 1
    return told


async def _ingested(tx: Tx, commands: Sequence[IngestUsage]) -> list[tuple[Verdict, ...]]:
    """Judge, add what is good, and look up whatever was known or refused.

    A key that is known answers for its event even when a new event of this kind would be refused:
    whoever repeats a report much later is told that it is in the books.
    """
    assert all(len(each.reports) <= EVENTS_MAX for each in commands)
    reports = [report for each in commands for report in each.reports]
    bench = await _bench(tx, reports)
    judged = _judged(tx, bench, commands)
    firsts: dict[str, UsageEvent] = {}
    for each in judged:
        if isinstance(each, UsageEvent):
            firsts.setdefault(each.key, each)
    fresh = await usage.add(tx, list(firsts.values())) if firsts else set()
    await tx.enqueue(*bench.checks(firsts[key] for key in fresh))
    if len(fresh) == len(judged):
        verdicts: Iterator[Verdict] = (Taken(each, is_new=True) for each in firsts.values())
    else:
        unsure = {report.key for report in reports} - fresh
        kept = await usage.known(tx, unsure) if unsure else {}
        kept |= {key: firsts[key] for key in fresh}
        verdicts = (
            _verdict(kept.get(report.key), report, each)
            for report, each in zip(reports, judged, strict=True)
        )
    return [tuple(islice(verdicts, len(each.reports))) for each in commands]


def _judged(tx: Tx, bench: "Bench", commands: Sequence[IngestUsage]) -> list[UsageEvent | Refusal]:
    """What each report is, in their order."""
    ids = iter(tx.new_uuids(sum(len(each.reports) for each in commands)))
    judged = []
    for command in commands:
        limits = Limits.around(tx.now, command.late_days_max)
        for report in command.reports:
            event_id = UsageEventId(print_id("ue", next(ids)))
            judged.append(bench.judge(report, event_id, limits))
    return judged


def _verdict(kept: UsageEvent | None, report: UsageReport, judged: UsageEvent | Refusal) -> Verdict:
    if kept is None:
        assert isinstance(judged, Refusal), "what was good is in the books"
        return judged
    if kept is judged:
        return Taken(kept, is_new=True)
    repeated = kept.repeated_by(report)
    return repeated if isinstance(repeated, Refusal) else Taken(repeated, is_new=False)


class Bench(Struct, frozen=True):
    """Everything the judgment of a batch needs to know."""

    subscriptions: Mapping[SubscriptionId, CountedSubscription]
    meters: Mapping[MeterId, Meter]
    wall: Instant

    def judge(
        self, report: UsageReport, event_id: UsageEventId, limits: Limits
    ) -> UsageEvent | Refusal:
        """The event a report is, or why it is none."""
        subscription = self.subscriptions.get(report.subscription_id)
        if subscription is None:
            return unknown_subscription(report.subscription_id)
        meter_id = meter_of(report, subscription)
        if isinstance(meter_id, Refusal):
            return meter_id
        meter = None if meter_id is None else self.meters.get(meter_id)
        if meter_id is not None and meter is None:
            return unknown_meter()
        counted = count(report, subscription, meter, limits)
        if isinstance(counted, Refusal):
            return counted
        return UsageEvent(
            id=event_id,
            subscription_id=report.subscription_id,
            meter_id=counted.meter_id,
            key=report.key,
            quantity=report.quantity,
            at=report.at,
            properties=report.properties,
            day=counted.day,
            value=counted.value,
            distinct=counted.distinct,
            recorded_at=self.wall,
        )

    def checks(self, events: Iterable[UsageEvent]) -> list[CheckThresholds]:
        """Whose thresholds to look at, once this is committed.

        Two batches may each stay below a threshold and reach it together; whoever commits last
        leaves a check that sees both.
        """
        watched = {each.id for each in self.meters.values() if each.thresholds}
        if not watched:
            return []
        pairs = {
            (each.subscription_id, each.meter_id) for each in events if each.meter_id in watched
        }
        return [CheckThresholds(subscription_id, meter_id) for subscription_id, meter_id in pairs]


async def _bench(tx: Tx, reports: Sequence[UsageReport]) -> Bench:
    subscriptions = await usage.counted(tx, {report.subscription_id for report in reports})
    named = {report.meter_id for report in reports if report.meter_id is not None}
    agreed = {meter_id for each in subscriptions.values() for meter_id in each.meter_ids}
    return Bench(subscriptions, await usage.meters(tx, named | agreed), tx.wall)
