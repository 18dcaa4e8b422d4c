"""The quick way of reading a batch and the careful way never differ."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bursar.api.bodies import read_body, read_items
from bursar.api.lanes.usage import NDJSON, NewUsage, NewUsageBatch, read_batch
from bursar.domain.refusals import InvalidInput, PayloadTooLarge, Refusal
from bursar.domain.usage import UsageReport

SUBSCRIPTION = "sub_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"
METER = "mtr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"
EVENT: dict[str, Any] = {
    "subscriptionId": SUBSCRIPTION,
    "idempotencyKey": "k1",
    "quantity": 5,
    "timestamp": "2026-01-31T09:30:00.000Z",
}
VALUES = st.one_of(
    st.integers(-(2**70), 2**70),
    st.text(max_size=20),
    st.none(),
    st.booleans(),
    st.floats(),
    st.sampled_from([SUBSCRIPTION, METER, "4242 4242 4242 4242", '": 1.5', "\\", "a\x7fb"]),
)
EVENTS = st.fixed_dictionaries(
    {key: st.just(value) | VALUES for key, value in EVENT.items()},
    optional={
        "meterId": st.just(METER) | VALUES,
        "properties": st.dictionaries(st.sampled_from(["a", "size", "é", ""]), VALUES, max_size=3),
        "other": VALUES,
    },
)


def careful(raw: bytes) -> object:
    try:
        return [*map(plain, read_items(raw, NewUsageBatch, "events"))]
    except InvalidInput as refused:
        return refused.details


def quick(raw: bytes) -> object:
    try:
        return [*map(plain, read_batch(raw, "application/json").entries)]
    except InvalidInput as refused:
        return refused.details


def plain(entry: object) -> object:
    """What an event reports, or the faults of what is none."""
    if isinstance(entry, NewUsage):
        return entry.to_report()
    return entry.details if isinstance(entry, Refusal) else entry


@given(
    st.lists(EVENTS, max_size=3),
    st.sampled_from([None, 1]),
    st.sampled_from([":", ": ", " :", "\n:\t"]),
    st.booleans(),
)
def test_both_ways_read_the_same(
    events: list[dict[str, Any]], indent: int | None, colon: str, is_ascii: bool
) -> None:
    # Good or bad, whatever it is written like: the same events, or the same faults.
    text = json.dumps(
        {"events": events}, indent=indent, separators=(",", colon), ensure_ascii=is_ascii
    )
    raw = text.encode(errors="surrogatepass")
    assert quick(raw) == careful(raw)


@given(st.text(alphabet='{}[]",:. \\\n0123456789eE-', max_size=40))
@example('{"events":[]}')
def test_both_ways_refuse_the_same_rubbish(text: str) -> None:
    # Text that is hardly JSON.
    assert quick(text.encode()) == careful(text.encode())


@pytest.mark.parametrize(
    "change",
    [
        ('"quantity": 5', '"quantity": 5, "quantity": 6'),
        ('"quantity": 5', '"quantity": 5, "meterId": null, "meterId": null'),
        ('"quantity": 5', '"quantity": 5, "properties": {"a": 1, "a": 2}'),
        ('"quantity": 5', '"quantity": 5, "properties": {}, "properties": {"a": 1}'),
        ('"quantity": 5', '"quantity" : 5, "quantity": 6'),
        ('"quantity": 5', '"quantity": 5, "properties"\n\t: {}, "properties": {"a": 1}'),
        ('"quantity": 5', '"quantity" : 5.0'),
        ('"quantity": 5', '"quantity": 5.0'),
        ('"quantity": 5', '"quantity": 5e0'),
        ('"quantity": 5', '"quantity": 5, "properties": {"a": 1.0}'),
        ('"k1"', '"4242424242424242"'),
        ('"k1"', '"a\\u0000b"'),
        ('{"events"', '{"events": [], "events"'),
    ],
)
def test_what_the_quick_way_would_let_pass(change: tuple[str, str]) -> None:
    # A key given twice, a fraction that is whole, a card number: refused as everywhere.
    text = json.dumps({"events": [EVENT]})
    assert change[0] in text
    raw = text.replace(change[0], change[1], 1).encode()
    found, wanted = quick(raw), careful(raw)
    assert found == wanted
    assert isinstance(found, tuple) or isinstance(found[0], tuple)  # type: ignore[index]  # a list


@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_lines_are_read_like_bodies(events: list[dict[str, Any]]) -> None:
    # Each line is what the body of one event would be.
    lines = [json.dumps(event).encode() for event in events]
    entries = read_batch(b"\n".join(lines), NDJSON).entries
    assert len(entries) == len(lines)
    for line, entry in zip(lines, entries, strict=True):
        if isinstance(entry, UsageReport):
            assert entry == read_body(line, NewUsage).to_report()
        else:
            with pytest.raises(InvalidInput):
                read_body(line, NewUsage)


def test_how_many_lines() -> None:
    # A thousand at most, and one at least.
    line = json.dumps(EVENT).encode() + b"\n"
    assert len(read_batch(line * 1000, NDJSON).entries) == 1000
    with pytest.raises(PayloadTooLarge):
        read_batch(line * 1001, NDJSON)
    with pytest.raises(InvalidInput):
        read_batch(b"\n \n", NDJSON)
