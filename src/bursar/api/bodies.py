"""Request bodies: strict JSON into request structs, or every fault of every field at once.

A valid body pays for one decode, one walk over its texts and one typed conversion. What JSON lets
pass and we refuse (a float, a key given twice) is decoded into a `Flaw` that keeps its place, so
that the fault can be named by its path. Nothing is trimmed, rounded or guessed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final, TypeVar, get_args

import msgspec

from bursar.api.faults import FAULTS_MAX, Flaw, fields_of, joined, shown, typed_faults
from bursar.api.fields import special
from bursar.api.texts import text_fault
from bursar.domain.refusals import Detail, InvalidInput

DEPTH_MAX: Final = 20
KEYS_MAX: Final = 1_000
"""Members of one object; no route has a use for more."""
VALUES_MAX: Final = 100_000
"""Values in one body, at whatever depth."""
_NAMED_MAX: Final = 5

# NUL and every other control character but tab and newline, and halves of surrogate pairs.
T = TypeVar("T")
Batch = TypeVar("Batch", bound=msgspec.Struct)


class _TooManyKeys(Exception):
    """An object has more members than anyone reads."""


_FLOAT: Final = Flaw("expected a whole number, written without a fraction or exponent", "float")
_NOT_A_NUMBER: Final = Flaw("is not a number", "not_a_number")
_TWICE: Final = Flaw("is given twice", "duplicate_key")


def read_body(raw: bytes, kind: type[T]) -> T:
    """The body as the route wants it.

    Raises:
        InvalidInput: with a detail for every field at fault.
    """
    value = _decoded(raw)
    return typed(value, kind, is_clean=_is_surely_clean(raw))


def read_items(raw: bytes, kind: type[Batch], name: str) -> list[Any]:
    """The items of the one list in a body: each as the list wants it, or the refusal of it.

    Raises:
        InvalidInput: what is around the items is at fault, or there are too few or too many.
    """
    body = _decoded(raw)
    assert isinstance(body, dict)
    wanted, items = fields_of(kind)[name], body.get(name)
    if not isinstance(items, list):
        return list(getattr(typed(body, kind), name))  # it says what is wrong
    around = {**body, name: []}
    faults = [fault for fault in _found(typed_faults(around, kind)) if fault.field != name]
    faults += [*_found(_text_faults(around, "", 0)), *_length_faults(items, wanted.kind, name)]
    if faults:
        raise refusal_of(faults)
    (item_kind,) = get_args(wanted.core)
    has_clean_texts = _has_surely_clean_texts(raw)
    return [_judged(item, item_kind, is_clean=has_clean_texts and _is_flat(item)) for item in items]


def _judged(
    item: object, kind: type[msgspec.Struct], *, is_clean: bool
) -> msgspec.Struct | InvalidInput:
    try:
        return typed(item, kind, is_clean=is_clean)
    except InvalidInput as refused:
        return refused


def _length_faults(items: list[Any], kind: Any, name: str) -> Iterator[Detail]:
    for meta in kind.__metadata__:
        if meta.min_length is not None and len(items) < meta.min_length:
            yield Detail(name, f"expected {meta.min_length} or more", "wrong_length")
        if meta.max_length is not None and len(items) > meta.max_length:
            yield Detail(name, f"expected {meta.max_length:,} or fewer", "wrong_length")


def typed(value: object, kind: type[T], *, is_clean: bool = False) -> T:
    """The decoded value as this kind of struct, or its faults; `is_clean` if no text can be one."""
    faults = [] if is_clean or _is_clean(value) else _found(_text_faults(value, "", 0))
    if not faults:
        try:
            return msgspec.convert(value, kind, dec_hook=special)
        except msgspec.ValidationError as refused:
            found = _found(typed_faults(value, kind))
            raise refusal_of(found or [_whole(refused)]) from None
    named = {fault.field for fault in faults}
    rest = _found(typed_faults(value, kind))
    raise refusal_of([*faults, *(fault for fault in rest if fault.field not in named)])


def _found(faults: Iterator[Detail]) -> list[Detail]:
    return list(islice(faults, FAULTS_MAX))


def refusal_of(faults: Sequence[Detail]) -> InvalidInput:
    """One refusal that carries all the faults and names the first few."""
    named = list(dict.fromkeys(fault.field for fault in faults))
    rest = f" and {len(named) - _NAMED_MAX} more" if len(named) > _NAMED_MAX else ""
    message = f"The request is not valid: {', '.join(named[:_NAMED_MAX])}{rest}."
    return InvalidInput(message, details=faults)


def _decoded(raw: bytes) -> object:
    try:
        value: object = _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        raise InvalidInput.at("body", "is not UTF-8 text", "not_utf8") from None
    except RecursionError:
        raise InvalidInput.at("body", _TOO_DEEP, "too_deep") from None
    except json.JSONDecodeError as malformed:
        place = f"line {malformed.lineno}, column {malformed.colno}"
        raise InvalidInput.at("body", f"is not JSON: {place}", "malformed_json") from None
    except _TooManyKeys:
        said = f"holds an object of more than {KEYS_MAX:,} keys"
        raise InvalidInput.at("body", said, "too_many_keys") from None
    except ValueError:  # a number of thousands of digits
        raise InvalidInput.at("body", "holds a number beyond any limit", "out_of_range") from None
    if not isinstance(value, dict):
        raise InvalidInput.at("body", "must be a JSON object", "not_an_object")
    return value


_TOO_DEEP: Final = f"is nested more than {DEPTH_MAX} deep"


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) > KEYS_MAX:
        raise _TooManyKeys
    if len(members) == len(pairs):
        return members
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            members[key] = _TWICE
        seen.add(key)
    return members


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_pairs,
    parse_float=lambda _: _FLOAT,
    parse_constant=lambda _: _NOT_A_NUMBER,
)


def _is_surely_clean(raw: bytes) -> bool:
    """Whether a look at the bytes shows that no text is at fault and nothing is nested deep.

    Most bodies are small and plain; only the others are walked through. An escape may hide
    anything, so with one the answer is no.
    """
    nested = raw.count(b"{") + raw.count(b"[")
    return nested <= DEPTH_MAX and _has_surely_clean_texts(raw)


def _has_surely_clean_texts(raw: bytes) -> bool:
    return b"\\" not in raw and text_fault(raw.decode()) is None


def _is_flat(value: object) -> bool:
    """Whether it is an object without another one, or a list, within."""
    if not isinstance(value, dict):
        return False
    return not any(isinstance(each, dict | list) for each in value.values())


def _is_clean(value: object) -> bool:
    """Whether no text is at fault and nothing is nested deep, without saying what and where.

    Raises:
        InvalidInput: there are too many values to look at.
    """
    level, seen = [value], 0
    for _ in range(DEPTH_MAX + 1):
        seen += len(level)
        if seen > VALUES_MAX:
            said = f"holds more than {VALUES_MAX:,} values"
            raise InvalidInput.at("body", said, "too_many_values")
        if any(text_fault(each) is not None for each in level if isinstance(each, str)):
            return False
        nests = [each for each in level if isinstance(each, dict | list)]
        if not nests:
            return True
        level = [inner for each in nests for inner in _members(each)]
    return False


def _members(nest: dict[str, Any] | list[Any]) -> Iterable[object]:
    return chain(nest.keys(), nest.values()) if isinstance(nest, dict) else nest


def _text_faults(value: object, path: str, depth: int) -> Iterator[Detail]:
    """Faults that need no type: texts nobody may send, and depth."""
    if isinstance(value, str):
        yield from _text_detail(value, path)
    elif isinstance(value, dict | list):
        yield from _nested_faults(value, path, depth)


def _nested_faults(value: dict[str, Any] | list[Any], path: str, depth: int) -> Iterator[Detail]:
    if depth >= DEPTH_MAX:
        yield Detail(path[:100] or "body", _TOO_DEEP, "too_deep")
        return
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _text_faults(item, f"{path}[{position}]", depth + 1)
        return
    for key, item in value.items():
        place = joined(path, key=key)
        yield from _text_detail(key, place)
        yield from _text_faults(item, place, depth + 1)


def _text_detail(text: str, path: str) -> Iterator[Detail]:
    fault = text_fault(text)
    if fault is not None:
        yield Detail(path, *fault)


def _whole(refused: msgspec.ValidationError) -> Detail:
    return Detail("body", shown(str(refused)), "invalid")
