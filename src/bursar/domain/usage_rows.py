"""What the database keeps of usage becomes those nouns again."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import msgspec

from bursar.domain import ids
from bursar.domain.rows import Record
from bursar.domain.usage import CountedSubscription, Tally, UsageEvent

NO_METER: Final = UUID(int=0)
"""Stands for no meter, where a key needs one."""

_PROPERTIES: Final = msgspec.json.Decoder(dict[str, str | int])


def meter_id_of(value: UUID) -> ids.MeterId | None:
    """The meter a column names, if any."""
    return None if value == NO_METER else ids.MeterId(ids.print_id("mtr", value))


def row_to_usage_event(record: Record) -> UsageEvent:
    """From every column of `usage_events`."""
    return UsageEvent(
        id=ids.UsageEventId(ids.print_id("ue", record["id"])),
        subscription_id=ids.SubscriptionId(ids.print_id("sub", record["subscription_id"])),
        meter_id=meter_id_of(record["meter_id"]),
        key=record["idempotency_key"],
        quantity=record["quantity"],
        at=record["occurred_at"],
        properties=_PROPERTIES.decode(record["properties"]),
        day=record["day"],
        value=record["value"],
        distinct=record["distinct_value"],
        recorded_at=record["recorded_at"],
    )


def rows_to_counted_subscriptions(records: Iterable[Record]) -> Iterator[CountedSubscription]:
    """From the id, start and end of each beside `timezone` and the plan's `meter_ids`.

    Few plans have many subscribers, so the meters of each are read once.
    """
    known: dict[str, tuple[ids.MeterId, ...]] = {}
    for record in records:
        named = record["meter_ids"]
        if named not in known:
            known[named] = tuple(ids.MeterId(f"mtr_{each}") for each in named.split())
        yield CountedSubscription(
            id=ids.SubscriptionId(ids.print_id("sub", record["id"])),
            started_at=record["started_at"],
            ended_at=record["ended_at"],
            timezone=record["timezone"],
            meter_ids=known[named],
        )


def row_to_tally(record: Record) -> Tally:
    """From sums over `usage_days`, or over events themselves."""
    return Tally(
        event_count=record["event_count"],
        total=int(record["total"]),
        greatest=record["greatest"],
        latest=record["latest"],
        distinct=record["distinct_values"],
    )
