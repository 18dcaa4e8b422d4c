"""Batches of usage events, read at full speed: one typed pass where nothing looks suspicious.

The quick way takes only text in which every rule of a strict body is visibly kept (no escapes, no
fractions, no control characters, no key twice); anything else goes the careful way, which says what
is wrong. Both give the same events. Each event is judged by itself, in JSON as in NDJSON.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bursar.api.bodies import read_body, read_items, text_fault
from bursar.api.fields import (
    Body,
    MeterRef,
    Moment,
    Properties,
    SubscriptionRef,
    UsageKey,
    UsageQuantity,
    special,
)
from bursar.domain.refusals import InvalidInput, PayloadTooLarge, Refusal
from bursar.domain.times import Instant
from bursar.domain.usage import EVENTS_MAX, UsageReport

NDJSON: Final = "application/x-ndjson"


class NewUsage(Body, frozen=True):
    """A usage event. `idempotencyKey` is its own for ever: told twice, it counts once."""

    subscription_id: SubscriptionRef
    idempotency_key: UsageKey
    quantity: UsageQuantity
    timestamp: Moment
    meter_id: MeterRef | UnsetType | None = UNSET
    properties: Properties | UnsetType = UNSET

    @property
    def member_count(self) -> int:
        """How many members were given, those of `properties` included."""
        given = 4 + (self.meter_id is not UNSET)
        return given if isinstance(self.properties, UnsetType) else given + 1 + len(self.properties)

    def to_report(self) -> UsageReport:
        """The event it reports."""
        at: Instant | None = Moment.plainly(self.timestamp)
        assert at is not None
        return UsageReport(
            subscription_id=self.subscription_id,
            meter_id=None if isinstance(self.meter_id, UnsetType) else self.meter_id,
            key=self.idempotency_key,
            quantity=self.quantity,
            at=at,
            properties={} if isinstance(self.properties, UnsetType) else self.properties,
        )


class NewUsageBatch(Body, frozen=True):
    """Up to 1,000 usage events, each judged by itself."""

    events: Annotated[list[NewUsage], Meta(min_length=1, max_length=EVENTS_MAX)]


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """What a batch says: an event, or why something is none, in their order."""

    entries: Sequence[NewUsage | Refusal]


_BATCH: Final = msgspec.json.Decoder(NewUsageBatch, dec_hook=special)
_LINE: Final = msgspec.json.Decoder(NewUsage, dec_hook=special)
_SUSPICIOUS: Final = re.compile(rb'[\\\x00-\x08\x0b-\x1f\x7f-\xff]|"\s*:\s*-?[0-9]+[.eE]')
_PAIR: Final = re.compile(rb'"\s*:')


def read_batch(raw: bytes, media_type: str) -> ReadBatch:
    """The events of a body.

    Raises:
        InvalidInput: what is around the events is at fault, or there are too few or too many.
        PayloadTooLarge: more lines than a batch may have.
    """
    if media_type == NDJSON:
        return ReadBatch(_lines(raw))
    return ReadBatch(_quick_batch(raw) or read_items(raw, NewUsageBatch, "events"))


def _lines(raw: bytes) -> list[NewUsage | Refusal]:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if len(lines) > EVENTS_MAX:
        raise PayloadTooLarge(f"A batch has at most {EVENTS_MAX} lines.")
    if not lines:
        raise InvalidInput.at("body", "holds no event", "required")
    return [_line(line) for line in lines]


def _line(raw: bytes) -> NewUsage | Refusal:
    if _SUSPICIOUS.search(raw) is None:
        try:
            event = _LINE.decode(raw)
        except msgspec.MsgspecError:
            pass
        else:
            if _is_plain(raw, (event,), around=0):
                return event
    try:
        return read_body(raw, NewUsage)
    except InvalidInput as refused:
        return refused


def _quick_batch(raw: bytes) -> list[NewUsage] | None:
    if _SUSPICIOUS.search(raw) is not None:
        return None
    try:
        events = _BATCH.decode(raw).events
    except msgspec.MsgspecError:
        return None
    return events if _is_plain(raw, events, around=1) else None


def _is_plain(raw: bytes, events: Sequence[NewUsage], *, around: int) -> bool:
    """Whether no key stands twice, and no text is one that nobody may send.

    Without escapes, a quote before a colon ends a key; so as many of them as there are members
    means that no member was given twice. Two digits' groups of two texts may look like a card
    number together: then the careful way finds that none of them is.
    """
    members = around + sum(event.member_count for event in events)
    return len(_PAIR.findall(raw)) == members and text_fault(raw.decode("ascii")) is None
