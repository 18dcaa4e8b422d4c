"""`/v1/usage`: what subscriptions use."""

from typing import Any

from bursar.api.envelope import changed, found, once, resource, travelled
from bursar.api.errors import CODES
from bursar.api.fields import Moment, NoQuery, Query
from bursar.api.lanes.usage import NDJSON, NewUsage, NewUsageBatch, ReadBatch, read_batch
from bursar.api.paging import PageQuery, numbered, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import SubscriptionId
from bursar.domain.refusals import InvalidInput, NotFound, Refusal, UsageKeyTaken
from bursar.domain.shapes.usage import (
    RejectedUsageOut,
    UsageBatchOut,
    UsageEventOut,
    UsageSummaryOut,
)
from bursar.domain.times import Period
from bursar.domain.usage import UsageReport
from bursar.flows.report_usage import report_usage
from bursar.operations.usage import IngestUsage, Taken, Verdict, record_usage
from bursar.reads.usage import usage_events, usage_summary
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Usage", prefix="/v1/usage", about="Events count once each, in whatever order they come."
)


class SummaryQuery(Query, frozen=True):
    """Which window; without one, the current period."""

    period_start: Moment | None = None
    period_end: Moment | None = None

    def window(self) -> Period | None:
        """The window that is asked for.

        Raises:
            InvalidInput: only one end of it, or none between them.
        """
        start, end = Moment.plainly(self.period_start), Moment.plainly(self.period_end)
        if start is None and end is None:
            return None
        if start is None or end is None:
            missing = "periodStart" if start is None else "periodEnd"
            raise InvalidInput.at(missing, "goes with the other end", "required")
        if start >= end:
            raise InvalidInput.at("periodEnd", "must lie after periodStart", "order")
        return Period(start, end)


@ROOM.post(
    "",
    Terms(
        needs=Permission.USAGE_WRITE,
        takes=NewUsage,
        gives=UsageEventOut,
        status=201,
        also={200: "The event was known already; nothing changed."},
        refuses=(NotFound, UsageKeyTaken),
    ),
)
async def ingest_one_event(call: Call[NewUsage, NoQuery]) -> Answer:
    """Report a usage event.

    The same event again is a 200 with the event as it is kept; another event under the same
    `idempotencyKey` is a 409. Without `meterId` the plan says which meter it is.
    """

    def reply(taken: Taken) -> Answer:
        return resource(UsageEventOut.of(taken.event), status=201 if taken.is_new else 200)

    command = IngestUsage((call.body.to_report(),), _late_days(call))
    return await changed(call.caller, record_usage, command, reply)


@ROOM.post(
    "/batch",
    Terms(
        needs=Permission.USAGE_WRITE,
        takes=NewUsageBatch,
        reads=read_batch,
        also_media=NDJSON,
        gives=UsageBatchOut,
    ),
)
async def ingest_batch(call: Call[ReadBatch, NoQuery]) -> Answer:
    """Report up to 1,000 usage events.

    Each is judged by itself: what is good is taken, and `rejected` says what was not. A batch that
    is sent again changes nothing. As `application/x-ndjson`, one event a line, a line that cannot
    be read is rejected like any other.
    """
    entries = call.body.entries
    reports = [each for each in entries if isinstance(each, UsageReport)]
    command = IngestUsage(reports, _late_days(call))

    def summed_up(verdicts: tuple[Verdict, ...]) -> UsageBatchOut:
        judged = iter(verdicts)
        return _batch([next(judged) if isinstance(e, UsageReport) else e for e in entries])

    reply = once(found(summed_up))
    return await travelled(report_usage(call.caller, command, reply), reply)


@ROOM.get(
    "/subscriptions/{subscriptionId}/summary",
    Terms(
        needs=Permission.USAGE_READ,
        gives=UsageSummaryOut,
        query=SummaryQuery,
        refuses=(NotFound,),
    ),
)
async def get_usage_summary(call: Call[None, SummaryQuery]) -> Answer:
    """Sum up a subscription's usage.

    By meter, for the current period or any window, with the amount that is due for it so far.
    """
    window = call.query.window()
    summary = await call.caller.look(usage_summary, _subscription(call), window)
    return resource(UsageSummaryOut.of(summary))


@ROOM.get(
    "/subscriptions/{subscriptionId}/events",
    Terms(
        needs=Permission.USAGE_READ,
        gives=UsageEventOut,
        is_list=True,
        query=PageQuery,
        refuses=(NotFound,),
    ),
)
async def list_usage_events(call: Call[None, PageQuery]) -> Answer:
    """List a subscription's usage events, the latest to happen first."""
    page = numbered(call.query)
    shown = await call.caller.look(usage_events, _subscription(call), page)
    return piece(call.caller, page, shown, UsageEventOut.of)


def _batch(verdicts: list[Verdict]) -> UsageBatchOut:
    taken = [each.is_new for each in verdicts if isinstance(each, Taken)]
    return UsageBatchOut(
        accepted=sum(taken),
        duplicates=len(taken) - sum(taken),
        rejected=tuple(
            RejectedUsageOut(index=index, code=CODES[each.kind].code, message=_said(each))
            for index, each in enumerate(verdicts)
            if isinstance(each, Refusal)
        ),
    )


def _said(refusal: Refusal) -> str:
    details = "; ".join(f"{each.field}: {each.message}" for each in refusal.details)
    return details or refusal.message


def _subscription(call: Call[Any, Any]) -> SubscriptionId:
    return SubscriptionId(call.id("subscriptionId"))


def _late_days(call: Call[Any, Any]) -> int:
    return call.caller.app.settings.usage_late_days_max
