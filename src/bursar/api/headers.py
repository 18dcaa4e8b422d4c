"""Request headers as the edge reads them: named once, or refused.

Owns how a header becomes text and what a header of ours may hold. A header that says something
twice is refused, since two readers could believe different halves.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

from bursar.api.texts import text_fault
from bursar.domain.people import USER_AGENT_LENGTH_MAX
from bursar.domain.refusals import InvalidInput

Scope = Mapping[str, Any]

_KNOWN: Final = "bursar.headers"
_TWICE: Final = "\x00"  # no header holds this
REASON_LENGTH_MAX: Final = 500
_TRACE: Final = re.compile(
    "(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
_ENTITY_TAG: Final = re.compile(r'"([0-9]{1,10})"')


def header(scope: Scope, name: str) -> str | None:
    """The header's text, or None.

    Raises:
        InvalidInput: it is given more than once.
    """
    given = (scope.get(_KNOWN) or headers_of(scope)).get(name.lower())
    if given is _TWICE:
        raise InvalidInput.at(name, "is given more than once", "duplicate_header")
    return given


def headers_of(scope: Scope) -> Mapping[str, str]:
    """Every header by its name in small letters, read once a request.

    What is given more than once stands there as a text that no header can hold.
    """
    known: dict[str, str] | None = scope.get(_KNOWN)
    if known is None:
        known = {}
        for key, value in scope["headers"]:
            name = key.decode("latin-1")
            known[name] = _TWICE if name in known else value.decode("latin-1").strip(" \t")
        cast("MutableMapping[str, Any]", scope)[_KNOWN] = known  # every server gives a dict
    return known


def idempotency_key(scope: Scope) -> str | None:
    """The caller's key for this request; both spellings of the header mean the same.

    Raises:
        InvalidInput: not 1 to 255 printable ASCII characters, or two different keys.
    """
    name, other = "Idempotency-Key", "X-Idempotency-Key"
    given, alias = header(scope, name), header(scope, other)
    if given is not None and alias is not None and given != alias:
        raise InvalidInput.at(name, f"differs from {other}", "ambiguous")
    key = given if given is not None else alias
    if key is not None and _KEY.fullmatch(key) is None:
        raise InvalidInput.at(name, "expected 1 to 255 printable ASCII characters", "wrong_format")
    return key


def expected_version(scope: Scope) -> int | None:
    """The version that `If-Match` names; `*` and no header name none.

    Raises:
        InvalidInput: it is no entity tag of ours.
    """
    given = header(scope, "If-Match")
    if given is None or given == "*":
        return None
    match = _ENTITY_TAG.fullmatch(given)
    if match is None:
        raise InvalidInput.at("If-Match", 'expected the ETag as it was given, such as "3"')
    return int(match[1])


def user_agent(scope: Scope) -> str | None:
    """What the caller's program calls itself, in plain letters and not much of it."""
    given = next((text for name, text in scope["headers"] if name == b"user-agent"), None)
    if given is None:
        return None
    text: str = given[:USER_AGENT_LENGTH_MAX].decode("latin-1")
    return "".join(each if each.isprintable() else "?" for each in text)


def audit_reason(scope: Scope) -> str | None:
    """Why the caller does this, for the event log.

    Raises:
        InvalidInput: not one line of at most 500 characters.
    """
    name = "X-Audit-Reason"
    given = header(scope, name)
    if not given:
        return None
    try:
        reason = given.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise InvalidInput.at(name, "is not UTF-8 text", "not_utf8") from None
    if len(reason) > REASON_LENGTH_MAX:
        raise InvalidInput.at(name, f"is longer than {REASON_LENGTH_MAX}", "wrong_length")
    fault = text_fault(reason)
    if fault is not None:
        raise InvalidInput.at(name, *fault)
    return reason


def trace_of(scope: Scope) -> str | None:
    """The trace that `traceparent` puts this request into; what is malformed puts it nowhere."""
    given = parent_of(scope)
    match = None if given is None else _TRACE.fullmatch(given)
    return None if match is None else match[1]


def parent_of(scope: Scope) -> str | None:
    """The `traceparent` as it was given; one that is given twice is none we would believe."""
    given = headers_of(scope).get("traceparent")
    return None if given is _TWICE else given


def content_type(scope: Scope) -> str:
    """The media type of the body, without parameters; empty when none is named.

    Raises:
        InvalidInput: it is given more than once.
    """
    given = header(scope, "Content-Type") or ""
    return given.partition(";")[0].strip().lower()
