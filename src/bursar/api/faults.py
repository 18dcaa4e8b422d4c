"""Every fault of a value against the type it should have, each with the path to it.

Runs only when the strict conversion has failed, so it may be slow; it is never more lenient, for
every part is judged by the same conversion. An unknown field names the nearest known one.
"""

import types
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from bursar.api.fields import special
from bursar.domain.refusals import Detail
from bursar.runtime.redaction import redacted_text

FAULTS_MAX: Final = 50
"""Nobody mends more at a time, and naming each one costs time."""
_SHOWN_MAX: Final = 100
# What the caller might think they can set; saying so is kinder than "unknown".
_READ_ONLY: Final = frozenset(
    ("id", "orgId", "object", "createdAt", "updatedAt", "version", "status", "number", "sequence")
)
_READ_ONLY_STARTS: Final = ("total", "amountPaid", "balance")
_CODES: Final = (
    ("Expected `str` matching", "wrong_format"),
    ("Expected `str` of length", "wrong_length"),
    ("Expected `array` of length", "wrong_length"),
    ("Expected `object` of length", "wrong_length"),
    ("Invalid enum value", "unknown_value"),
    ("Expected `int` >", "out_of_range"),
    ("Expected `int` <", "out_of_range"),
    ("expected a year", "year_out_of_range"),
    ("expected", "wrong_format"),
)


class Flaw(Struct, frozen=True):
    """Stands where the text of a body says something that is never accepted, whatever the type."""

    message: str
    code: str


class Field(Struct, frozen=True):
    """What a struct says about one of its fields."""

    kind: Any
    is_required: bool

    @property
    def core(self) -> Any:
        """The type inside annotations and optionality."""
        return list(_layers(self.kind))[-1]


def joined(path: str, *, key: str) -> str:
    """The path of a member, spelled as a caller would."""
    return f"{path}.{shown(key)}" if path else shown(key)


def shown(text: str) -> str:
    """A caller's own text, fit to be shown back: what looks like a secret is not repeated."""
    masked = redacted_text(text[: 2 * _SHOWN_MAX])[:_SHOWN_MAX]
    return "".join(each if each.isprintable() else "�" for each in masked)


def typed_faults(value: object, wanted: Any, path: str = "") -> Iterator[Detail]:
    """What keeps the value from being of the wanted type; nothing, when nothing does."""
    if isinstance(value, Flaw):
        yield Detail(path, value.message, value.code)
        return
    refused = _refusal(value, wanted)
    if refused is None:
        return
    core = list(_layers(wanted))[-1]
    inner: Iterator[Detail] = iter(())
    if isinstance(value, dict):
        inner = _member_faults(value, core, path)
    elif isinstance(value, list) and get_origin(core) in {list, tuple}:
        inner = _item_faults(value, get_args(core)[0], path)
    found = list(islice(inner, FAULTS_MAX))
    yield from found or [Detail(path or "body", *_said(refused, wanted))]


def _item_faults(items: list[Any], kind: Any, path: str) -> Iterator[Detail]:
    for position, item in enumerate(items):
        yield from typed_faults(item, kind, f"{path}[{position}]")


def nearest(name: str, known: list[str]) -> str:
    """A sentence about an unknown name that points to what was probably meant."""
    close = get_close_matches(name[:_SHOWN_MAX], known, n=1)
    if close:
        return f"is not known here; did you mean {close[0]}?"
    listed = ", ".join(sorted(known))
    return f"is not known here; known are: {listed}" if listed else "is not known here"


@cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """The fields of a struct by their wire names."""
    hints = get_type_hints(struct, include_extras=True)
    return {
        field.encode_name: Field(hints[field.name], field.required)
        for field in msgspec.structs.fields(struct)
    }


def _member_faults(value: dict[str, Any], core: Any, path: str) -> Iterator[Detail]:
    if isinstance(core, type) and issubclass(core, msgspec.Struct):
        yield from _struct_faults(value, fields_of(core), path)
    elif get_origin(core) is dict:
        key_kind, item_kind = get_args(core)
        for key, item in value.items():
            place = joined(path, key=key)
            yield from typed_faults(key, key_kind, place)
            yield from typed_faults(item, item_kind, place)


def _struct_faults(value: dict[str, Any], known: dict[str, Field], path: str) -> Iterator[Detail]:
    for name, field in known.items():
        if name in value:
            yield from typed_faults(value[name], field.kind, joined(path, key=name))
        elif field.is_required:
            yield Detail(joined(path, key=name), "is required", "required")
    for name in value.keys() - known.keys():
        yield Detail(joined(path, key=name), _unknown(name, list(known)), "unknown_field")


def _unknown(name: str, known: list[str]) -> str:
    if name in _READ_ONLY or name.startswith(_READ_ONLY_STARTS):
        return "is set by Bursar and cannot be written"
    return nearest(name, known)


def _refusal(value: object, wanted: Any) -> str | None:
    try:
        msgspec.convert(value, wanted, dec_hook=special)
    except msgspec.ValidationError as refused:
        return str(refused).partition(" - at `")[0]
    except UnicodeEncodeError:  # half a character where one of a closed list should be
        return "Expected `str`"
    return None


def _said(refused: str, wanted: Any) -> tuple[str, str]:
    """The message and its code, in words that name no regular expression."""
    code = next((code for start, code in _CODES if refused.startswith(start)), "wrong_type")
    expected = _expected(wanted)
    if code == "wrong_format" and expected:
        return expected, code
    message = refused.replace("`", "").replace("Expected str", "expected text")
    return shown(message[0].lower() + message[1:]), code


def _expected(wanted: Any) -> str:
    for layer in _layers(wanted):
        for meta in getattr(layer, "__metadata__", ()):
            if meta.extra and "expected" in meta.extra:
                return str(meta.extra["expected"])
    return ""


def _layers(wanted: Any) -> Iterator[Any]:
    yield wanted
    origin = get_origin(wanted)
    if origin is Annotated:
        yield from _layers(get_args(wanted)[0])
    elif origin in {Union, types.UnionType}:
        options = [
            option for option in get_args(wanted) if option not in {type(None), msgspec.UnsetType}
        ]
        yield from _layers(options[0])
