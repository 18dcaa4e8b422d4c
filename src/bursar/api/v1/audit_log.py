"""`/v1/audit-log`: who did what, when and why."""

from typing import Annotated

from msgspec import Meta

from bursar.api.fields import Moment, ResourceRef
from bursar.api.filters import CreatedQuery
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.shapes.events import AuditOut
from bursar.reads.events import AuditFilters, audit
from bursar.runtime.idempotency import Answer

ROOM = Room("Audit log", prefix="/v1/audit-log", about="Who did what, when and why.")

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
