"""An id has one spelling: what parses prints the same, and nothing else parses."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.ids import (
    PREFIX_OF_RESOURCE,
    PREFIXES,
    MalformedId,
    parse_id,
    print_id,
    uuid_of,
)
from bursar.domain.shapes.render import RENDERINGS

GOOD = "inv_0195a1b2-c3d4-7006-8000-0123456789ab"
uuids = st.builds(
    lambda high, low: UUID(int=(high << 80) | (7 << 76) | low),
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**76 - 1),
)


@given(st.sampled_from(sorted(PREFIXES)), uuids)
def test_printing_and_parsing_are_inverse(prefix: str, value: UUID) -> None:
    # Letter for letter, for every noun.
    text = print_id(prefix, value)
    assert parse_id(prefix, text=text) == uuid_of(text) == value
    assert print_id(prefix, parse_id(prefix, text=text)) == text


@given(st.text(max_size=60))
def test_no_other_text_parses(text: str) -> None:
    # Whatever does parse is the one canonical spelling.
    try:
        value = parse_id("inv", text=text)
    except MalformedId:
        return
    assert print_id("inv", value) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "inv_",
        "inv",
        GOOD.upper(),
        GOOD.removeprefix("inv_"),
        GOOD.replace("inv_", "cust_"),
        GOOD.replace("inv_", "inv__"),
        GOOD.replace("-7006-", "-4006-"),
        GOOD.replace("-", ""),
        GOOD.replace("ab", "AB"),
        f"{GOOD}\n",
        f" {GOOD}",
        GOOD.replace("_", "_{") + "}",
        GOOD.replace("0195", "०१९५"),
        GOOD.replace("a1b2", "g1b2"),
    ],
)
def test_near_misses_are_refused(text: str) -> None:
    # Another case, another version, another noun, decoration, digits of another script.
    with pytest.raises(MalformedId):
        parse_id("inv", text=text)


def test_what_tells_events_has_a_prefix() -> None:
    # The log keeps the type and the bare UUID; reading it back prints the id.
    assert {one.resource_type for one in RENDERINGS.values()} == set(PREFIX_OF_RESOURCE)
    assert set(PREFIX_OF_RESOURCE.values()) <= PREFIXES
