"""`/v1/audit-log`: who did what, when and why."""

from typing import Annotated, Final

from msgspec import Meta

from bursar.api.envelope import resource
from bursar.api.fields import Moment, Query, ResourceRef
from bursar.api.filters import CreatedQuery
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.money import AMOUNT_MAX
from bursar.domain.shapes.events import AuditOut, ChainCheckOut
from bursar.reads.events import AuditFilters, audit
from bursar.reads.verify import stretch
from bursar.runtime.idempotency import Answer

ROOM = Room("Audit log", prefix="/v1/audit-log", about="Who did what, when and why.")

LINKS_MAX: Final = 10_000
Word = Annotated[str, Meta(min_length=1, max_length=100)]


class AuditQuery(CreatedQuery, frozen=True):
    """Which entries; `actor` and `action` as the entries spell them."""

    resource_type: Word | None = None
    resource_id: ResourceRef | None = None
    actor: Word | None = None
    action: Word | None = None


@ROOM.get("", Terms(needs=Permission.AUDIT_READ, gives=AuditOut, is_list=True, query=AuditQuery))
async def list_audit_log(call: Call[None, AuditQuery]) -> Answer:
    """List everything that was done, newest first, internal facts included."""
    query, page = call.query, pages(call.caller, call.query)
    filters = AuditFilters(
        resource_type=query.resource_type,
        resource_id=query.resource_id,
        actor=query.actor,
        action=query.action,
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    return piece(call.caller, page, await call.caller.look(audit, page, filters), AuditOut.of)


class ChainQuery(Query, frozen=True):
    """Which part of the chain: after a position, so many links."""

    after_position: Annotated[int, Meta(ge=0, le=AMOUNT_MAX)] = 0
    limit: Annotated[int, Meta(ge=1, le=LINKS_MAX)] = 1000


@ROOM.get("/verify", Terms(needs=Permission.AUDIT_READ, gives=ChainCheckOut, query=ChainQuery))
async def verify_audit_log(call: Call[None, ChainQuery]) -> Answer:
    """Follow the hash chain over the log, a part at a time.

    Begin without a position and go on with each `nextPosition`. What was edited, deleted or
    inserted is named, whoever did it; compare `lastHash` with a signed head that was kept
    elsewhere to see that nothing was cut off or rewritten.
    """
    query = call.query
    found = await call.caller.look(stretch, after_position=query.after_position, limit=query.limit)
    return resource(ChainCheckOut.of(found))
