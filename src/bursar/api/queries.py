"""Queries as the edge reads them: every parameter known and named once, or refused.

A credential never stands in one: a URL ends in logs, histories and referrers.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl

from msgspec import Struct

from bursar.api.bodies import refusal_of, typed
from bursar.api.faults import Field, fields_of, nearest, shown
from bursar.api.fields import Query
from bursar.api.texts import text_fault
from bursar.domain.refusals import Detail, InvalidInput

PARAMETERS_MAX: Final = 50
_WHOLE: Final = re.compile("[0-9]{1,16}")  # as long as the largest amount or position
_TRUTHS: Final = {"true": True, "false": False}
# A credential in a URL ends in logs, histories and referrers.
_CREDENTIAL_NAMES: Final = frozenset(
    (
        *("access_token", "accessToken", "api_key", "apiKey", "apikey", "authorization"),
        *("bearer", "jwt", "key", "secret", "token"),
    )
)
_CREDENTIAL_STARTS: Final = ("bsk_", "bsm_", "bsr_", "eyJ", "Bearer ")


class _Parameter(Struct, frozen=True):
    name: str
    text: str


def read_query(raw: bytes, kind: type[Query]) -> Any:
    """The query as the route wants it.

    Raises:
        InvalidInput: with a detail for every parameter at fault.
    """
    if not raw:
        return _unasked(kind)
    known: Mapping[str, Field] = fields_of(kind)
    values: dict[str, object] = {}
    faults: list[Detail] = []
    for parameter in _parameters(raw):
        fault = _parameter_fault(parameter, known, values)
        if fault is not None:
            faults.append(fault)
            continue
        values[parameter.name] = _read(parameter.text, known[parameter.name].core)
    if faults:
        raise refusal_of(faults)
    return typed(values, kind)


@cache
def _unasked(kind: type[Query]) -> Any:
    """What most requests ask for: nothing beside the path."""
    return typed({}, kind)


def _parameters(raw: bytes) -> list[_Parameter]:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:  # also what is not UTF-8 once its percent signs are read
        raise InvalidInput.at("query", "cannot be read", "malformed_query") from None
    return [_Parameter(name, text) for name, text in pairs]


def _parameter_fault(
    parameter: _Parameter, known: Mapping[str, object], seen: Mapping[str, object]
) -> Detail | None:
    name, text = parameter.name, parameter.text
    if name not in known:
        if name in _CREDENTIAL_NAMES or text.startswith(_CREDENTIAL_STARTS):
            advice = "credentials go in the Authorization header only"
            return Detail(shown(name), advice, "credential_in_query")
        return Detail(shown(name), nearest(name, list(known)), "unknown_parameter")
    if name in seen:
        return Detail(name, "is given twice", "duplicate_parameter")
    fault = text_fault(text)
    return Detail(name, *fault) if fault is not None else None


def _read(text: str, core: object) -> object:
    """Numbers and truths out of their text; what is neither stays text, for the type to refuse."""
    if core is int and _WHOLE.fullmatch(text):
        return int(text)
    if core is bool:
        return _TRUTHS.get(text, text)
    return text
