"""Bodies: whatever is sent, the answer names the field or the struct is right."""

import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest

from bursar.api.bodies import DEPTH_MAX, read_body, read_items
from bursar.api.faults import FAULTS_MAX
from bursar.api.fields import (
    AmountCents,
    AmountDecimal,
    Body,
    CurrencyCode,
    CustomerRef,
    Email,
    Metadata,
    Moment,
    Name,
    Text500,
    Url,
)
from bursar.domain.refusals import InvalidInput

CUSTOMER = "cust_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c"


class Part(Body, frozen=True):
    description: Text500
    amount_cents: AmountCents = 0
    amount_decimal: AmountDecimal | None = None


class Whole(Body, frozen=True):
    name: Name
    customer_id: CustomerRef | None = None
    email: Email | None = None
    url: Url | None = None
    currency: CurrencyCode | None = None
    due_at: Moment | None = None
    lines: list[Part] = msgspec.field(default_factory=list)
    metadata: Metadata = msgspec.field(default_factory=dict)
    is_open: bool = False


def read(raw: bytes | str | dict[str, Any]) -> Whole:
    text = json.dumps(raw) if isinstance(raw, dict) else raw
    return read_body(text if isinstance(text, bytes) else text.encode(), Whole)


def faults(raw: bytes | str | dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refused:
        read(raw)
    assert refused.value.details, "a refusal names its fields"
    return {detail.field: detail.code for detail in refused.value.details}


def test_a_good_body_is_read() -> None:
    # Every kind of field arrives as what it means.
    body = read(
        {
            "name": "Ada Lovelace ✨",
            "customerId": CUSTOMER,
            "email": "ada@example.com",
            "currency": "jpy",
            "dueAt": "2026-03-01T01:00:00+01:00",
            "lines": [{"description": "a\tb\nc", "amountCents": 2**53 - 1}],
            "metadata": {"order": "7"},
            "isOpen": True,
        }
    )
    assert (body.name, body.customer_id, body.currency) == ("Ada Lovelace ✨", CUSTOMER, "jpy")
    assert body.due_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert type(Moment.plainly(body.due_at)) is datetime
    assert body.lines == [Part(description="a\tb\nc", amount_cents=2**53 - 1)]
    assert body.metadata == {"order": "7"}


def test_a_text_at_fault_is_found_wherever_it_hides() -> None:
    # An escape, a long list or a deep place hides nothing: the quick look misses no fault.
    bell, card = '"\\u0007"', '"4242 4242 4242 4242"'
    for text, code in ((bell, "control_character"), (card, "card_number_not_allowed")):
        for body in (
            f'{{"name": {text}}}',
            f'{{"name": "a", "metadata": {{"a": {text}}}}}',
            f'{{"name": "a", "metadata": {{{text}: "a"}}}}',
            '{"name": "a", "x": ' + "[" * 18 + text + "]" * 18 + "}",
            '{"name": "a", "x": [' + "1," * 5_000 + text + "]}",
        ):
            assert code in faults(body).values(), body[:80]
    assert "card_number_not_allowed" in faults('{"name": "\\t4242424242424242"}').values()


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"k%d":1' % number for number in range(80_000)) + b"}",
        b'{"lines":[' + b",".join([b"{}"] * 300_000) + b"]}",
        b'{"lines":[' + b",".join([b"1"] * 500_000) + b"]}",
        b'{"metadata":{' + b",".join(b'"k%d":1' % number for number in range(80_000)) + b"}}",
        b'{"name":"' + b"1-1 " * 250_000 + b'"}',
        b"{" + b'"a":1,' * 150_000 + b'"a":1}',
    ],
)
def test_no_body_takes_long_to_refuse(body: bytes) -> None:
    # No megabyte of nonsense is compared part by part, which would take minutes; and at most fifty
    # faults are named.
    began = time.process_time()
    assert len(faults(body)) <= FAULTS_MAX
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"name": "a"} x', "malformed_json"),
        (b"{'name': 'a'}", "malformed_json"),
        (b'{"name": "a",}', "malformed_json"),
        (b'{"name": "\xff\xfe"}', "not_utf8"),
        (b'{"name": "\xed\xa0\x80"}', "not_utf8"),
        (b"\xef\xbb\xbf{}", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"1", "not_an_object"),
        (b"NaN", "not_an_object"),
        (b'{"a":' + b"9" * 5000 + b"}", "out_of_range"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[" * 500_000, "too_deep"),
    ],
)
def test_what_is_no_object(raw: bytes, code: str) -> None:
    # A body that is no JSON object is one fault, named `body`.
    assert faults(raw) == {"body": code}


def test_depth() -> None:
    # Twenty levels are read; one more is refused, whatever is inside.
    deep = "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1)
    assert faults('{"name": "a", "x": ' + deep + "}") == {"x": "unknown_field"}
    deeper = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    assert "too_deep" in faults('{"name": "a", "x": ' + deeper + "}").values()


@pytest.mark.parametrize(
    "text", ["3056.0", "1e3", "0.5", "-0.0", "1E400", "NaN", "Infinity", "-Infinity"]
)
def test_floats(text: str) -> None:
    # A number with a fraction or an exponent is refused, also when it is whole.
    found = faults('{"name": "a", "lines": [{"description": "b", "amountCents": ' + text + "}]}")
    assert found == {"lines[0].amountCents": found["lines[0].amountCents"]}
    assert found["lines[0].amountCents"] in {"float", "not_a_number"}


@pytest.mark.parametrize("value", [True, "4900", None, [], {}, -1, 2**53, 10**30])
def test_amounts(value: object) -> None:
    # Money is a whole number from 0 to 2^53 − 1 and nothing that looks like one.
    body = {"name": "a", "lines": [{"description": "b", "amountCents": value}]}
    assert faults(body).keys() == {"lines[0].amountCents"}


@pytest.mark.parametrize("value", ["1.", ".5", "1e3", "01", "-1", "1.0000000000001", "٣", "1\n"])
def test_decimals(value: str) -> None:
    # An exact price is plain digits with at most twelve places.
    body = {"name": "a", "lines": [{"description": "b", "amountDecimal": value}]}
    assert faults(body) == {"lines[0].amountDecimal": "wrong_format"}


@pytest.mark.parametrize(
    "text", ["a\u0000b", "\u0001", "a\u001f", "\u007f", "\u0085", "\ud800", "a\udc00", "a\rb"]
)
@pytest.mark.parametrize("place", ["name", "metadata", "key"])
def test_characters(text: str, place: str) -> None:
    # No control character and no half of one reaches a rule, in values and in keys.
    body: dict[str, Any] = {"name": "a"}
    if place == "name":
        body["name"] = text
    else:
        body["metadata"] = {"k": text} if place == "metadata" else {text: "v"}
    assert "control_character" in faults(body).values()


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424242",
        "my card is 4242 4242 4242 4242, thanks",
        "3782-822463-10005",
        "6304000000000000",
    ],
)
def test_card_numbers(text: str) -> None:
    # A card number is refused wherever it stands.
    assert faults({"name": text}) == {"name": "card_number_not_allowed"}
    assert faults({"name": "a", "metadata": {"note": text}}) == {
        "metadata.note": "card_number_not_allowed"
    }


@pytest.mark.parametrize(
    "text", ["4242424242424241", "12345", CUSTOMER, "2026-03-01T00:00:00Z", "0" * 12]
)
def test_what_is_no_card_number(text: str) -> None:
    # Numbers that only look long are let pass.
    assert read({"name": text}).name == text


@pytest.mark.parametrize("odd", ["", "4242 4242 4242 4242", "a\x7fb", 1.5, None, {"a": 1}])
def test_an_item_is_judged_among_many_as_alone(odd: object) -> None:
    # Whether or not a look at the bytes clears them all: nothing hides behind its neighbors.
    deep: Any = "4242424242424242"
    for _ in range(DEPTH_MAX + 5):
        deep = [deep]
    items = [{"name": "a"}] * (DEPTH_MAX + 5) + [{"name": odd}, {"name": "b", "metadata": deep}, 7]
    many = [said(each) for each in judged(items)]
    assert many == [said(alone) for item in items for alone in judged([item])]
    assert many[-2]


class Wholes(Body, frozen=True):
    wholes: Annotated[list[Whole], msgspec.Meta(max_length=100)]


def judged(items: list[Any]) -> list[Any]:
    return read_items(json.dumps({"wholes": items}).encode(), Wholes, "wholes")


def said(item: object) -> object:
    return item.details if isinstance(item, InvalidInput) else item


def test_duplicate_keys() -> None:
    # A key given twice is a fault of that key, at any depth.
    assert faults('{"name": "a", "name": "b"}') == {"name": "duplicate_key"}
    assert faults('{"name": "a", "lines": [{"description": "b", "description": "b"}]}') == {
        "lines[0].description": "duplicate_key"
    }


def test_unknown_fields_name_the_nearest() -> None:
    # A mistyped field says what was probably meant; a read-only one says why.
    with pytest.raises(InvalidInput) as refused:
        read({"name": "a", "custmerId": CUSTOMER, "version": 3, "totalCents": 1, "qqq": 1})
    said = {detail.field: detail.message for detail in refused.value.details}
    assert "did you mean customerId" in said["custmerId"]
    assert "cannot be written" in said["version"]
    assert "cannot be written" in said["totalCents"]
    assert "known are" in said["qqq"]


def test_snake_case_is_not_the_wire() -> None:
    # There is one spelling of each field.
    assert faults({"name": "a", "customer_id": CUSTOMER}) == {"customer_id": "unknown_field"}


def test_every_fault_at_once() -> None:
    # All faults come together, each with its path.
    found = faults(
        {
            "customerId": "cust_1",
            "email": "nobody",
            "currency": "USD",
            "dueAt": "tomorrow",
            "isOpen": "true",
            "lines": [{"description": ""}, {"amountCents": -5}, 7],
            "metadata": {"k": 5},
        }
    )
    assert found == {
        "name": "required",
        "customerId": "wrong_format",
        "email": "wrong_format",
        "currency": "unknown_value",
        "dueAt": "wrong_format",
        "isOpen": "wrong_type",
        "lines[0].description": "wrong_length",
        "lines[1].description": "required",
        "lines[1].amountCents": "out_of_range",
        "lines[2]": "wrong_type",
        "metadata.k": "wrong_type",
    }


@pytest.mark.parametrize(
    "text",
    [
        CUSTOMER + "\n",
        CUSTOMER.upper(),
        CUSTOMER.replace("cust_", "inv_"),
        "cust_{" + CUSTOMER[5:] + "}",
        "cust_urn:uuid:" + CUSTOMER[5:],
        CUSTOMER.replace("-", ""),
        CUSTOMER.replace("-7a31-", "-4a31-"),
        "cust_٠1970b2e-6f80-7a31-9d42-5c7e8f1a2b3c",
        " " + CUSTOMER,
    ],
)
def test_ids(text: str) -> None:
    # An id has one spelling.
    assert faults({"name": "a", "customerId": text}).keys() == {"customerId"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T09:30:00",
        "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2026-01-31T09:30:00Z\n",
        "２０２６-01-31T09:30:00Z",
        1_770_000_000,
        None,
    ],
)
def test_instants(text: object) -> None:
    # An instant has an offset and lies in years that everything can keep.
    if text is None:
        assert read({"name": "a", "dueAt": None}).due_at is None
    else:
        assert faults({"name": "a", "dueAt": text}).keys() == {"dueAt"}


@pytest.mark.parametrize(
    "text",
    [
        "a@b",
        "a@b.c\n",
        "a b@c.de",
        "a@c.de\r\nBcc: x@y.z",
        "@c.de",
        "a@-c.de",
        "a" * 65 + "@c.de",
        "a@" + "b" * 250 + ".de",
        "a@b@c.de",
        "",
    ],
)
def test_emails(text: str) -> None:
    # What is no address is refused; nothing of a header gets through.
    assert faults({"name": "a", "email": text}).keys() == {"email"}


def test_metadata_limits() -> None:
    # Fifty keys of forty characters with five hundred each, and no more.
    full = {f"k{number:02}".ljust(40, "x"): "v" * 500 for number in range(50)}
    assert read({"name": "a", "metadata": full}).metadata == full
    assert faults({"name": "a", "metadata": {**full, "more": "v"}}) == {"metadata": "wrong_length"}
    assert faults({"name": "a", "metadata": {"k" * 41: "v"}})
    assert faults({"name": "a", "metadata": {"k": "v" * 501}}) == {"metadata.k": "wrong_length"}


def test_hostile_text_is_judged_quickly() -> None:
    # No pattern backtracks on a hundred thousand characters: that would take minutes, or years.
    for text in ("a" * 100_000, " " * 100_000, "a." * 50_000, "1 " * 50_000, "@" * 100_000):
        began = time.process_time()
        for field in ("name", "email", "url", "customerId", "dueAt", "currency"):
            assert faults({"name": "a", field: text})
        assert time.process_time() - began < 20


def test_answers_stay_small() -> None:
    # A thousand faults are refused as quickly as one, and shown keys are cut and made plain.
    found = faults({"name": "a", **{f"{number}\n" + "k" * 500: 1 for number in range(1000)}})
    assert max(map(len, found)) <= 101
    assert all(key.isprintable() for key in found)
