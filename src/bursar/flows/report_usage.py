"""Batches of usage events, which share their commit with those reported at the same time."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from bursar.operations.usage import IngestUsage, Verdict, ingest_together, ingest_usage
from bursar.runtime import tracing
from bursar.runtime.app import Caller
from bursar.runtime.convoys import Booking, GoAlone, ride
from bursar.runtime.idempotency import Answer

# A longer batch is a statement's worth by itself.
EVENTS_SHARED_MAX: Final = 100


async def report_usage(
    caller: Caller, command: IngestUsage, answer: Callable[[tuple[Verdict, ...]], Answer]
) -> tuple[Verdict, ...]:
    """A verdict for each event, in their order.

    Raises:
        Refusal: the caller may not; nothing was written.
    """
    with tracing.span("usage.report"):
        if len(command.reports) <= EVENTS_SHARED_MAX:
            with suppress(GoAlone):
                return await ride(ingest_together, Booking(caller, command, answer, _nothing))
        return await caller.run(ingest_usage, command, answer=answer)


def _nothing(_verdicts: tuple[Verdict, ...]) -> str:
    raise AssertionError("the answer is known when the events are in")
