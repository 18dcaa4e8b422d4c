"""Batches of usage events, read at full speed: one typed pass where nothing looks suspicious.

The quick way takes only text in which every rule of a strict body is visibly kept (no escapes, no
fractions, no control characters, no key twice); anything else goes the careful way, which says what
is wrong. Both give the same events. Each event is judged by itself, in JSON as in NDJSON.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from bursar.api.bodies import read_body, read_items
from bursar.api.fields import (
    METADATA_KEYS_MAX,
    PROPERTY_NAME,
    YEARS,
    Body,
    MeterRef,
    Moment,
    Properties,
    PropertyValue,
    SubscriptionRef,
    UsageKey,
    UsageQuantity,
    ids_each_on_a_line,
)
from bursar.api.texts import text_fault
from bursar.domain.ids import MeterId, SubscriptionId
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


class QuickUsage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The same event where it is read without a second look.

    What is matched against a pattern is matched for all events at once, in `_are_plain`.
    """

    subscription_id: SubscriptionId
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=255)]
    quantity: UsageQuantity
    timestamp: Annotated[datetime, Meta(tz=True)]
    meter_id: MeterId | UnsetType | None = UNSET
    properties: (
        Annotated[dict[str, PropertyValue], Meta(max_length=METADATA_KEYS_MAX)] | UnsetType
    ) = UNSET


class QuickBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch of those."""

    events: Annotated[list[QuickUsage], Meta(min_length=1, max_length=EVENTS_MAX)]


class ReadBatch(Struct, frozen=True):
    """What a batch says: an event, or why something is none, in their order."""

    entries: Sequence[UsageReport | Refusal]


_SUBSCRIPTIONS: Final = ids_each_on_a_line("sub")
_METERS: Final = ids_each_on_a_line("mtr")
_NAMES: Final = re.compile(rf"(?:{PROPERTY_NAME}\n)*")
_BATCH: Final = msgspec.json.Decoder(QuickBatch)
_LINE: Final = msgspec.json.Decoder(QuickUsage)
_CONTROL: Final = bytes({*range(0x20), 0x7F} - {0x09, 0x0A})
_FRACTION: Final = re.compile(rb'":[ \t\n]*-?[0-9]+[.eE]')
_APART: Final = re.compile(rb'"[ \t\n]+:')


def read_batch(raw: bytes, media_type: str) -> ReadBatch:
    """The events of a body.

    Raises:
        InvalidInput: what is around the events is at fault, or there are too few or too many.
        PayloadTooLarge: more lines than a batch may have.
    """
    if media_type == NDJSON:
        return ReadBatch(_lines(raw))
    return ReadBatch(_quick_batch(raw) or _judged(read_items(raw, NewUsageBatch, "events")))


def _judged(items: Sequence[NewUsage | Refusal]) -> list[UsageReport | Refusal]:
    return [each.to_report() if isinstance(each, NewUsage) else each for each in items]


def _lines(raw: bytes) -> list[UsageReport | Refusal]:
    lines = [line for line in raw.split(b"\n") if line.strip()]
    if len(lines) > EVENTS_MAX:
        raise PayloadTooLarge(f"A batch has at most {EVENTS_MAX} lines.")
    if not lines:
        raise InvalidInput.at("body", "holds no event", "required")
    return [_line(line) for line in lines]


def _line(raw: bytes) -> UsageReport | Refusal:
    if _is_plain(raw):
        try:
            (found,) = _quick((_LINE.decode(raw),), raw, around=0) or (None,)
        except msgspec.MsgspecError:
            found = None
        if found is not None:
            return found
    try:
        return read_body(raw, NewUsage).to_report()
    except InvalidInput as refused:
        return refused


def _quick_batch(raw: bytes) -> list[UsageReport] | None:
    if not _is_plain(raw):
        return None
    try:
        return _quick(_BATCH.decode(raw).events, raw, around=1)
    except msgspec.MsgspecError:
        return None


def _is_plain(raw: bytes) -> bool:
    """Whether the text hides nothing: no escape, no fraction, nothing that cannot be printed.

    And no key that stands apart from its colon: members are counted by the two together.
    """
    return (
        raw.isascii()
        and b"\\" not in raw
        and len(raw.translate(None, _CONTROL)) == len(raw)
        and _FRACTION.search(raw) is None
        and _APART.search(raw) is None
    )


def _quick(events: Sequence[QuickUsage], raw: bytes, *, around: int) -> list[UsageReport] | None:
    """The events as reports; None when anything about them deserves a second look.

    Without escapes, a quote before a colon ends a key; so when there are as many of them as
    members, no member was given twice.
    """
    members, reports = around, []
    for event in events:
        at, properties, meter_id = event.timestamp, event.properties, event.meter_id
        if at.tzinfo is not UTC:
            at = at.astimezone(UTC)
        members += 4
        if properties is UNSET:
            properties = {}
        else:
            members += 1 + len(properties)
        if meter_id is UNSET:
            meter_id = None
        else:
            members += 1
        if at.year not in YEARS:
            return None
        reports.append(
            UsageReport(
                event.subscription_id,
                meter_id,
                event.idempotency_key,
                event.quantity,
                at,
                properties,
            )
        )
    return reports if raw.count(b'":') == members and _are_plain(reports) else None


def _are_plain(reports: Sequence[UsageReport]) -> bool:
    """Whether all ids are ids, all names names, and no text is what no text may be.

    Here no text holds a line's end: inside a JSON text it would have had to be escaped.
    """
    keys = [each.key for each in reports]
    meters = {each.meter_id for each in reports if each.meter_id is not None}
    names = {name for each in reports for name in each.properties}
    texts = {text for each in reports for text in each.properties.values() if isinstance(text, str)}
    return (
        _SUBSCRIPTIONS.fullmatch(_lined(each.subscription_id for each in reports)) is not None
        and _METERS.fullmatch(_lined(meters)) is not None
        and _NAMES.fullmatch(_lined(names)) is not None
        and all(map(str.strip, keys))
        and text_fault("\n".join([*keys, *names, *texts])) is None
    )


def _lined(texts: Iterable[str]) -> str:
    return "".join([f"{each}\n" for each in texts])
