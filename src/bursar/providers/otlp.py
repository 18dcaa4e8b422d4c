"""Sends spans by OTLP over HTTP, in batches, from a thread of its own.

A collector that is away costs spans and nothing else: the queue is bounded, nothing waits for it,
and a stop waits two seconds at most. The exporter takes a tenth of a second and some memory to
load, so it is loaded where spans are wanted and nowhere else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from threading import Thread
from typing import Any, Final

from opentelemetry.trace import Tracer

from bursar.runtime.crypto import random_bytes
from bursar.runtime.tracing import named_trace_id, root_span_id

_SDK: Final = "opentelemetry.sdk.trace"
_EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_TIMEOUT_SECONDS: Final = 2.0
_EVERY_MS: Final = 1_000
_QUEUE_MAX: Final = 4_096
_PATH: Final = "/v1/traces"


class RequestIds:
    """A trace that begins with a request is named like it; every other id is chance."""

    def generate_trace_id(self) -> int:
        """The next trace's."""
        return named_trace_id() or int.from_bytes(random_bytes(16), "big")

    def generate_span_id(self) -> int:
        """The next span's."""
        named = named_trace_id()
        return int.from_bytes(random_bytes(8), "big") if named is None else root_span_id(named)

    def is_trace_id_random(self) -> bool:
        """Whether a sampler may rest on the last bits of a trace's id."""
        return True


@asynccontextmanager
async def tracer_to(endpoint: str, *, part: str, version: str) -> AsyncIterator[Tracer]:
    """A tracer whose spans go to this collector; what is left goes when the block ends."""
    sdk, export = import_module(_SDK), import_module(f"{_SDK}.export")
    about = {"service.name": f"bursar-{part}", "service.version": version}
    provider = sdk.TracerProvider(
        resource=import_module("opentelemetry.sdk.resources").Resource.create(about),
        id_generator=RequestIds(),
        shutdown_on_exit=False,
    )
    url = endpoint.rstrip("/") + _PATH
    exporter = import_module(_EXPORTER).OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT_SECONDS)
    provider.add_span_processor(
        export.BatchSpanProcessor(
            exporter, max_queue_size=_QUEUE_MAX, schedule_delay_millis=_EVERY_MS
        )
    )
    try:
        yield provider.get_tracer("bursar", version)
    finally:
        await _ended(provider)


async def _ended(provider: Any) -> None:
    """Send what is left; a collector that hangs is left behind."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def end() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop has gone on without us
            loop.call_soon_threadsafe(done.set)

    Thread(target=end, name="spans", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await done.wait()
