"""Logs: one JSON object a line, stable dotted event names, nothing secret in any of them.

Owns the format, the context every line of a request or job carries, and the way in for the
standard library's loggers (uvicorn, asyncpg, alembic), which end in the same lines. Writing never
fails the work: a reader that went away loses lines, and that is all.
"""

import json
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType
from typing import Any, Final, Protocol, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from bursar.domain.times import fresh_instant
from bursar.runtime.clock import now
from bursar.runtime.redaction import hides_nothing, is_plain, redacted, redacted_text

# Loggers of libraries: the least severe line that is let through, whatever LOG_LEVEL says.
_LIBRARIES: Final = {
    "uvicorn.access": logging.CRITICAL,  # the canonical line of each request says more
    "uvicorn.error": logging.INFO,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "asyncpg": logging.WARNING,
    "aiohttp": logging.WARNING,
    "opentelemetry": logging.WARNING,
    "pgqueuer": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "stripe": logging.WARNING,
    "urllib3": logging.WARNING,
}
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"))
_carried: Final[ContextVar[Mapping[str, object]]] = ContextVar(
    "bursar.carried", default=MappingProxyType({})
)


class Stream(Protocol):
    """Where lines go: a file with or without a descriptor of its own."""

    def write(self, text: str, /) -> Any: ...

    def flush(self) -> None: ...

    def fileno(self) -> int: ...

    def isatty(self) -> bool: ...


def get_log() -> FilteringBoundLogger:
    """The log; `log.info("payment.settled", payment_id=…)`. May be taken before `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def bound(**fields: object) -> AbstractContextManager[None]:
    """Let every line written inside the block carry these fields: request, org, job."""
    return _Bound(fields)


def configure(
    *, level: str = "info", is_development: bool = False, stream: Stream | None = None
) -> None:
    """Send every log line of this process to the stream, standard error unless another is given.

    Colored columns instead of JSON only in development, and only on a terminal.
    """
    lines = Lines(stream if stream is not None else sys.stderr)
    least = logging.getLevelNamesMapping()[level.upper()]
    is_shown = is_development and lines.is_terminal
    end: tuple[Processor, ...] = (_redact, _columns()) if is_shown else (_json,)
    chain: tuple[Processor, ...] = (carry, _stamp, *end)
    structlog.configure(
        processors=[*chain],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _adopt_standard_loggers(_Bridge(chain, lines), least)
    sys.excepthook = _log_crash


class _Bound(AbstractContextManager[None]):
    """Fields that every line carries for the length of a block, besides those of blocks around."""

    __slots__ = ("_fields", "_token")

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields
        self._token: Token[Mapping[str, object]]

    def __enter__(self) -> None:
        self._token = _carried.set({**_carried.get(), **self._fields})

    def __exit__(self, *_: object) -> None:
        _carried.reset(self._token)


class Lines:
    """The end of the chain: whole lines to a stream, each in one write, errors swallowed."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.is_terminal = _is_terminal(stream)

    def msg(self, line: str) -> None:
        try:
            self._write(line + "\n")
        except (OSError, ValueError):
            # The reader is gone or the stream is closed; there is nowhere left to say so.
            return

    debug = info = warning = error = critical = fatal = exception = log = msg

    def _write(self, line: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except (OSError, AttributeError):  # a stream in memory
            self._stream.write(line)
            self._stream.flush()
            return
        rest = line.encode(errors="backslashreplace")
        while rest:
            rest = rest[os.write(descriptor, rest) :]


class _Bridge(logging.Handler):
    """Turns a standard library record into one of our lines."""

    def __init__(self, chain: tuple[Processor, ...], lines: Lines) -> None:
        super().__init__()
        self._chain = chain
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # its arguments do not fit its text
            message = str(record.msg)
        event: Any = {
            "event": record.name,
            "message": message,
            "exc_info": record.exc_info,
        }
        for step in self._chain:
            event = step(None, record.levelname.lower(), event)
        self._lines.msg(event)


def _adopt_standard_loggers(bridge: _Bridge, least: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [bridge]
    root.setLevel(least)
    for name, floor in _LIBRARIES.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(least, floor))
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False


def carry(_: object, __: str, event: EventDict) -> EventDict:
    """The line with the fields of the blocks around it; its own count more."""
    return {**_carried.get(), **event}


def _stamp(_: object, level: str, event: EventDict) -> EventDict:
    """Time and, where there is one, the exception as text; the three first keys come first."""
    if "exc_info" in event:
        structlog.processors.format_exc_info(None, "", event)
    name = event.pop("event", None)
    return {"timestamp": fresh_instant(now()), "level": level, "event": name, **event}


def _redact(_: object, __: str, event: EventDict) -> EventDict:
    return cast("MutableMapping[str, Any]", redacted(event))


def _json(_: object, __: str, event: EventDict) -> str:
    """Without secrets, in pure ASCII: line breaks, controls and broken Unicode are escaped."""
    line = _plain_line(event) if is_plain(event) else None
    return _ENCODER.encode(redacted(event)) if line is None else line


def _plain_line(event: EventDict) -> str | None:
    """The line of most events, at once; nothing, when it must be looked at more closely."""
    try:
        line = msgspec.json.encode(event).decode("ascii")
    except (ValueError, OverflowError):  # beyond ASCII, or beyond 64 bits
        return None
    return line if hides_nothing(line) else None


def _columns() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=True, exception_formatter=structlog.dev.plain_traceback
    )


def _is_terminal(stream: Stream) -> bool:
    try:
        return stream.isatty()
    except (OSError, ValueError, AttributeError):
        return False


def _log_crash(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    get_log().critical(
        "program.crashed", reason=redacted_text(str(error)), exc_info=(kind, error, traceback)
    )
