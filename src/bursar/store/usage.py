"""Rows of usage: events by their key, days that add them up, thresholds that were reached."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

import msgspec

from bursar.domain.ids import MeterId, SubscriptionId, bare, uuid_of
from bursar.domain.meters import Meter
from bursar.domain.plan_rows import row_to_meter
from bursar.domain.times import Instant
from bursar.domain.usage import CountedSubscription, UsageAggregate, UsageEvent
from bursar.domain.usage_rows import (
    NO_METER,
    row_to_usage_event,
    rows_to_counted_subscriptions,
)
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import plain, quoted, replaced

Q = sql.beside(__file__)

_ENCODE: Final = msgspec.json.Encoder().encode
_NO_METER: Final = str(NO_METER)


async def counted(
    tx: Tx, subscription_ids: Iterable[SubscriptionId]
) -> dict[SubscriptionId, CountedSubscription]:
    """What counting needs to know of these subscriptions, where they exist."""
    keys = plain(map(bare, subscription_ids))
    rows = await tx.fetch(Q.counted_subscriptions, uuid_of(tx.org_id), keys)
    return {each.id: each for each in rows_to_counted_subscriptions(rows)}


async def meters(tx: Tx, meter_ids: Iterable[MeterId]) -> dict[MeterId, Meter]:
    """These meters, where they exist."""
    keys = [uuid_of(each) for each in meter_ids]
    if not keys:
        return {}
    rows = await tx.fetch(Q.counting_meters, uuid_of(tx.org_id), keys)
    return {each.id: each for each in map(row_to_meter, rows)}


async def add(tx: Tx, events: Sequence[UsageEvent]) -> set[str]:
    """Add events that are not known yet, and add them up; gives the keys of those.

    Everybody adds in the order of keys, so two batches never wait for each other in a ring.
    """
    ordered = sorted(events, key=attrgetter("key"))
    keys = [each.key for each in ordered]
    fresh = await tx.fetchval(
        Q.add_events,
        uuid_of(tx.org_id),
        quoted(keys),
        plain(bare(each.id) for each in ordered),
        plain(bare(each.subscription_id) for each in ordered),
        plain(_NO_METER if each.meter_id is None else bare(each.meter_id) for each in ordered),
        plain(each.quantity for each in ordered),
        plain(each.at.isoformat() for each in ordered),
        plain(each.day.isoformat() for each in ordered),
        quoted(_ENCODE(each.properties).decode() for each in ordered),
        plain(each.value for each in ordered),
        quoted(each.distinct for each in ordered),
        tx.wall,
        len(keys),
    )
    return set(keys if fresh is None else fresh)


async def known(tx: Tx, keys: Iterable[str]) -> dict[str, UsageEvent]:
    """The events that have these keys already."""
    rows = await tx.fetch(Q.events_of_keys, uuid_of(tx.org_id), list(keys))
    return {each.key: each for each in map(row_to_usage_event, rows)}


async def told_thresholds(
    tx: Tx, subscription_id: SubscriptionId, meter_id: MeterId, since: Instant
) -> list[int]:
    """Which thresholds were told of in the period that begins at `since`."""
    key = uuid_of(tx.org_id), uuid_of(subscription_id), uuid_of(meter_id)
    return [row["threshold"] for row in await tx.fetch(Q.told_thresholds, *key, since)]


async def save(tx: Tx, row: UsageAggregate) -> None:
    """Insert the only version there is.

    Raises:
        StaleVersion: the threshold was told of already in this period.
    """
    assert row.version == 1, "what was reached stays reached"
    touched = await tx.execute(
        Q.insert_aggregate,
        uuid_of(tx.org_id),
        uuid_of(row.id),
        uuid_of(row.subscription_id),
        uuid_of(row.meter_id),
        row.period.start,
        row.period.end,
        row.threshold,
        row.quantity,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    replaced(row, touched)
