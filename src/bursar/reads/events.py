"""Looks at the event log: the feed that others follow, and the audit trail.

The feed tells public facts in the order in which they became readable and skips none; the audit
trail tells all of them, newest first.
"""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.event_log import LoggedEvent
from bursar.domain.ids import EventId, print_id, uuid_of
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import InvalidInput, NotFound
from bursar.domain.rows import row_to_event
from bursar.domain.times import Instant
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


class FeedFilters(Struct, frozen=True, kw_only=True):
    """Which facts of the feed; what is None or empty filters nothing."""

    types: tuple[str, ...] = ()
    resource_id: str | None = None
    actor: str | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            list(self.types) or None,
            None if self.resource_id is None else uuid_of(self.resource_id),
            self.actor,
        )


class AuditFilters(Struct, frozen=True, kw_only=True):
    """Which facts of the trail; what is None filters nothing."""

    resource_type: str | None = None
    resource_id: str | None = None
    actor: str | None = None
    action: str | None = None
    created_from: Instant | None = None
    created_before: Instant | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the queries number them."""
        return (
            self.resource_type,
            None if self.resource_id is None else uuid_of(self.resource_id),
            self.actor,
            self.action,
            self.created_from,
            self.created_before,
        )


@query(requires=Permission.EVENT_READ)
async def event(tx: ReadTx, event_id: EventId) -> LoggedEvent:
    """One public fact.

    Raises:
        NotFound: no such event in this organization, or an internal one.
    """
    row = await tx.fetchrow(Q.event, uuid_of(tx.org_id), uuid_of(event_id))
    if row is None or not row["is_public"]:
        raise NotFound(f"No event {event_id}.")
    return row_to_event(row)


@query(requires=Permission.EVENT_READ)
async def events(
    tx: ReadTx, *, after: EventId | None, limit: int, filters: FeedFilters
) -> Paged[LoggedEvent]:
    """Public facts after a cursor, oldest first; the next cursor is always where to go on.

    Raises:
        InvalidInput: the cursor is no event of this organization.
    """
    await _require_known(tx, after)
    rows = await tx.fetch(
        Q.feed,
        uuid_of(tx.org_id),
        None if after is None else uuid_of(after),
        limit,
        *filters.arguments,
    )
    found = tuple(map(row_to_event, rows))
    return Paged(found, next_cursor=found[-1].id if found else after)


@query(requires=Permission.EVENT_READ)
async def newest_events(
    tx: ReadTx, *, after: EventId | None, limit: int, filters: FeedFilters
) -> Paged[LoggedEvent]:
    """Public facts before a cursor, newest first, as far as the feed tells them.

    Raises:
        InvalidInput: the cursor is no event of this organization.
    """
    await _require_known(tx, after)
    page = Page(size=limit, is_cursor=True, after=None if after is None else uuid_of(after))
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(Q.feed_backward, org_id, page.after, page.fetched, *wanted)
    return paged([*map(row_to_event, rows)], page, total_count=0)


async def _require_known(tx: ReadTx, after: EventId | None) -> None:
    if after is None:
        return
    if await tx.fetchrow(Q.event, uuid_of(tx.org_id), uuid_of(after)) is None:
        raise InvalidInput.at("after", "is not an event of this organization", "unknown_cursor")


@query(requires=Permission.EVENT_READ)
async def newest_event(tx: ReadTx) -> EventId | None:
    """The last event that is readable now: whoever follows from here hears what comes."""
    found = await tx.fetchval(Q.newest_event, uuid_of(tx.org_id))
    return None if found is None else EventId(print_id("evt", found))


@query(requires=Permission.AUDIT_READ)
async def audit(tx: ReadTx, page: Page, filters: AuditFilters) -> Paged[LoggedEvent]:
    """Everything that was done, newest first."""
    org_id, wanted = uuid_of(tx.org_id), filters.arguments
    rows = await tx.fetch(
        Q.audit.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_audit, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_event, rows)], page, total_count=count)
