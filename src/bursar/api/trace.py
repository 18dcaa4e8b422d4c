"""What is known of a request while it runs, for the one log line and the metrics at its end.

Travels in the ASGI scope, made by the guard and filled by whoever learns something. Holds no body,
no query and no credential.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from msgspec import Struct, field

_KEY: Final = "bursar.trace"


class Trace(Struct):
    """One request's name, and what came of it so far."""

    request_id: str
    route: str | None = None
    actor: str | None = None
    org_id: str | None = None
    is_replay: bool = False
    status: int = 0
    is_broken: bool = False  # something escaped that nobody expected
    headers: list[tuple[str, str]] = field(default_factory=list)  # added to whatever is answered


def traced(scope: Mapping[str, Any]) -> Trace:
    """The trace of a request."""
    trace = scope[_KEY]
    assert isinstance(trace, Trace)
    return trace


def begin(scope: MutableMapping[str, Any], request_id: str) -> Trace:
    """Begin to trace a request."""
    trace = scope[_KEY] = Trace(request_id)
    return trace
