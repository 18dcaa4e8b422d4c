"""Spans: where a request, job or delivery spent its time, for whoever listens by OTLP.

A tracer is given to the roots of work (a request, a job, a delivery); what happens inside finds it
in the context. Without a tracer every span is one shared nothing. A span holds names from closed
lists, statements without their values and the class of an error: never what was sent or said.

The trace of a request that came without `traceparent` is its request id, so that whoever knows the
id, in a log line or an event, knows the trace.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from time import time_ns
from typing import Any, Final, Protocol
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACEPARENT: Final = "traceparent"

_SPAN_BITS: Final = (1 << 64) - 1
_NANO: Final = 1_000_000_000
_NOTHING: Final = nullcontext(None)
_PROPAGATOR: Final = TraceContextTextMapPropagator()
_TRACER: Final[ContextVar[Tracer | None]] = ContextVar("bursar.tracer", default=None)
_NAMED: Final[ContextVar[int | None]] = ContextVar("bursar.trace_id", default=None)

Attributes = Mapping[str, str | int | bool]


class Asked(Protocol):
    """A statement that PostgreSQL was asked, and how it went; the driver tells more."""

    query: str
    elapsed: float | None
    exception: BaseException | None


class Watched(Protocol):
    """A connection to PostgreSQL that tells what it was asked."""

    def add_query_logger(self, callback: Callable[[Any], None]) -> None:
        """Call this after each statement."""
        ...


def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, attributes: Attributes | None = None
) -> AbstractContextManager[Span | None]:
    """A stretch of the work under way; nothing, when that is not traced."""
    tracer = _TRACER.get()
    return _NOTHING if tracer is None else _span(tracer, name, kind, attributes)


def request(
    tracer: Tracer | None, *, name: str, request_id: str, traceparent: str | None
) -> AbstractContextManager[Span | None]:
    """A request from outside: continues its caller's trace, or begins one named like itself."""
    if tracer is None:
        return _NOTHING
    return _root(tracer, name, SpanKind.SERVER, parent=_told(traceparent), request_id=request_id)


def job(
    tracer: Tracer | None, *, name: str, traceparent: str | None
) -> AbstractContextManager[Span | None]:
    """A job: continues the trace of whoever asked for it."""
    if tracer is None:
        return _NOTHING
    return _root(tracer, name, SpanKind.CONSUMER, parent=_told(traceparent))


def delivery(
    tracer: Tracer | None, *, name: str, request_id: str
) -> AbstractContextManager[Span | None]:
    """Something sent out because of what happened in a request that is over."""
    if tracer is None:
        return _NOTHING
    return _root(tracer, name, SpanKind.PRODUCER, parent=_of_request(request_id))


def carrier() -> dict[str, str]:
    """The headers by which somebody else continues the trace under way; empty without one."""
    if _TRACER.get() is None:
        return {}
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return headers


def trace_id() -> int | None:
    """The trace under way."""
    if _TRACER.get() is None:
        return None
    context = get_current_span().get_span_context()
    return context.trace_id if context.is_valid else None


def names() -> dict[str, str]:
    """What log lines say of the trace under way."""
    trace = trace_id()
    return {} if trace is None else {"trace_id": f"{trace:032x}"}


async def watch(connection: Watched) -> None:
    """Hear of every statement of this connection."""
    connection.add_query_logger(statement)


def statement(record: Asked) -> None:
    """A statement that PostgreSQL has answered, as a span; its values are not in it."""
    tracer = _TRACER.get()
    if tracer is None:
        return
    ended = time_ns()
    verb = record.query.split(maxsplit=1)[0].upper()
    told = tracer.start_span(
        f"postgresql {verb}",
        kind=SpanKind.CLIENT,
        attributes={"db.system.name": "postgresql", "db.query.text": record.query},
        start_time=ended - int((record.elapsed or 0) * _NANO),
    )
    if record.exception is not None:
        told.set_status(Status(StatusCode.ERROR, type(record.exception).__name__))
    told.end(end_time=ended)


def named_trace_id() -> int | None:
    """The id that the next root asks for; for whoever makes ids."""
    return _NAMED.get()


def root_span_id(trace: int) -> int:
    """The first span of a trace that is named like its request."""
    return trace & _SPAN_BITS


def _told(traceparent: str | None) -> Context | None:
    if traceparent is None:
        return None
    found = _PROPAGATOR.extract({TRACEPARENT: traceparent}, context=Context())
    is_valid = get_current_span(found).get_span_context().is_valid
    return found if is_valid else None


def _of_request(request_id: str) -> Context | None:
    trace = _named(request_id)
    if trace is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    context = SpanContext(trace, root_span_id(trace), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(context), Context())


def _named(request_id: str) -> int | None:
    try:
        trace = UUID(request_id).int
    except ValueError:
        return None
    return trace if root_span_id(trace) else None


@contextmanager
def _root(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    *,
    parent: Context | None,
    request_id: str | None = None,
) -> Iterator[Span]:
    is_new = parent is None and request_id is not None
    tracing = _TRACER.set(tracer)
    naming = _NAMED.set(_named(request_id) if is_new and request_id else None)
    try:
        with _span(tracer, name, kind, None, parent or Context()) as told:
            _NAMED.set(None)
            yield told
    finally:
        _NAMED.reset(naming)
        _TRACER.reset(tracing)


@contextmanager
def _span(
    tracer: Tracer,
    name: str,
    kind: SpanKind,
    attributes: Attributes | None,
    parent: Context | None = None,
) -> Iterator[Span]:
    with tracer.start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=attributes,
        record_exception=False,  # its text may hold what somebody sent
        set_status_on_exception=False,
    ) as told:
        try:
            yield told
        except BaseException as error:
            told.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
