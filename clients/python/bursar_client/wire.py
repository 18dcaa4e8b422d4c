"""HTTP as the API wants it: a key with every write, the same key with every further try.

A request is tried again when no answer came, on 429, on 5xx, and while the first one with its key
still runs; never without a key, but for questions and for 429, which did nothing. Nothing here
knows a noun of the API's.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import msgspec

from bursar_client.refusals import NotReached, Refused, StillRunning, TooMany, refusal_of

T = TypeVar("T")

WAIT_MAX_SECONDS: Final = 60.0
_FIRST_WAIT_SECONDS: Final = 0.1
_GROWTH: Final = 4
_DICE: Final = random.SystemRandom()
_FAILED_FROM: Final = 500
_GOOD: Final = range(200, 300)
_UNCHANGED: Final = 304


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; `key` is None where the API keeps no answers."""

    method: str
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    body: object = None
    key: str | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_question(self) -> bool:
        """Whether it changes nothing."""
        return self.method == "GET"

    @property
    def target(self) -> str:
        """Path and query; what is None was not given."""
        given = {name: _text(each) for name, each in self.query.items() if each is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class File:
    """A document; `etag` given as `if_none_match` finds out whether it still is the same."""

    body: bytes
    media_type: str
    etag: str | None
    is_unchanged: bool = False


class _One(msgspec.Struct):
    data: msgspec.Raw


class _Many(msgspec.Struct):
    data: list[msgspec.Raw]


@dataclass
class Wire:
    """Who asks, and where; may be shared by threads, each of which has a connection of its own."""

    url: str
    credential: str | None = None
    org_id: str | None = None
    timeout_seconds: float = 30.0
    tries_max: int = 4
    reason: str | None = None
    sleep: Callable[[float], None] = time.sleep
    own: threading.local = field(default_factory=threading.local, repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ValueError(f"{self.url!r} is not the address of an API")
        self._parts = parts

    def one(self, asked: Asked, kind: type[T]) -> T:
        """The resource in `data`."""
        told = msgspec.json.decode(self.send(asked).body, type=_One)
        return msgspec.json.decode(told.data, type=kind)

    def all_of(self, asked: Asked, kind: type[T]) -> list[T]:
        """A list that is always whole."""
        told = msgspec.json.decode(self.send(asked).body, type=_Many)
        return [msgspec.json.decode(each, type=kind) for each in told.data]

    def nothing(self, asked: Asked) -> None:
        """An act with nothing to show."""
        self.send(asked)

    def file(self, asked: Asked) -> File:
        """A document, or word that it is unchanged."""
        answer = self.send(asked)
        media = answer.headers.get("content-type", "")
        return File(answer.body, media, answer.headers.get("etag"), answer.status == _UNCHANGED)

    def send(self, asked: Asked) -> Answer:
        """The good answer, after as many tries as it takes.

        Raises:
            Refused: the API said no.
            NotReached: there was no answer.
        """
        for left in reversed(range(self.tries_max)):
            try:
                answer = self._sent(asked)
            except (OSError, HTTPException) as failed:
                self.close()
                if not left or not (asked.is_question or asked.key is not None):
                    said = f"{asked.method} {asked.path}: {failed!r}"
                    raise NotReached(said, asked.key) from failed
                wait = self._wait(left)
            else:
                if answer.status in _GOOD or answer.status == _UNCHANGED:
                    return answer
                after = answer.headers.get("retry-after")
                refused = refusal_of(answer.status, answer.body, after)
                wait = max(refused.retry_after or 0.0, self._wait(left))
                if not left or not _is_worth_another(refused, asked) or wait > WAIT_MAX_SECONDS:
                    raise refused
            self.sleep(wait)
        raise ValueError("tries_max is at least 1")

    def close(self) -> None:
        """Close this thread's connection; the next request opens another."""
        connection: HTTPConnection | None = getattr(self.own, "connection", None)
        if connection is not None:
            connection.close()
            self.own.connection = None

    def _sent(self, asked: Asked) -> Answer:
        connection = self._connection()
        raw = None if asked.body is None else msgspec.json.encode(asked.body)
        target = self._parts.path.rstrip("/") + asked.target
        connection.request(asked.method, target, raw, self._headers(asked))
        response = connection.getresponse()
        body = response.read()
        named = {name.lower(): text for name, text in response.getheaders()}
        return Answer(response.status, named, body)

    def _headers(self, asked: Asked) -> dict[str, str]:
        told = {
            "Accept": "*/*",
            "User-Agent": "bursar-client-python",
            "Authorization": None if self.credential is None else f"Bearer {self.credential}",
            "x-org-id": self.org_id,
            "X-Audit-Reason": None if self.reason is None else _in_utf8(self.reason),
            "Idempotency-Key": asked.key,
            "Content-Type": None if asked.body is None else "application/json",
            **asked.headers,
        }
        return {name: text for name, text in told.items() if text is not None}

    def _connection(self) -> HTTPConnection:
        known: HTTPConnection | None = getattr(self.own, "connection", None)
        if known is not None:
            return known
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        host = self._parts.hostname
        assert host is not None, "looked at when the wire was made"
        made = kind(host, self._parts.port, timeout=self.timeout_seconds)
        self.own.connection = made
        return made

    def _wait(self, left: int) -> float:
        """Longer each time, and not the same for everybody."""
        tried = self.tries_max - 1 - left
        longest: float = _FIRST_WAIT_SECONDS * _GROWTH**tried
        return longest * _DICE.uniform(0.5, 1.0)


def path(pattern: str, *ids: str) -> str:
    """A path with ids in it, whatever they hold."""
    return pattern.format(*(quote(each, safe="") for each in ids))


def key_or_new(given: str | None) -> str:
    """The caller's idempotency key, or one that nobody has."""
    return given if given is not None else str(uuid4())


def tag(version: int | None) -> str | None:
    """A version as `If-Match` spells it."""
    return None if version is None else f'"{version}"'


def _is_worth_another(refused: Refused, asked: Asked) -> bool:
    if isinstance(refused, TooMany):
        return True
    is_safe = asked.is_question or asked.key is not None
    return is_safe and (isinstance(refused, StillRunning) or refused.status >= _FAILED_FROM)


def _in_utf8(text: str) -> str:
    """As the header wants it: its bytes are UTF-8, and http.client writes Latin-1."""
    return text.encode().decode("latin-1")


def _text(value: Any) -> str:
    """A value as a query spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime | date):
        return str(msgspec.to_builtins(value))
    return str(value)
