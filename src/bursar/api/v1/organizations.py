"""`/v1/organizations`: tenants and their settings."""

from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, UnsetType

from bursar.api.dunning_terms import DunningBody
from bursar.api.envelope import changed, created, encoded, found, gone, resource
from bursar.api.fields import (
    Body,
    CurrencyCode,
    Days,
    GraceHours,
    InvoicePrefix,
    MemberRef,
    Name,
    NoQuery,
    Nothing,
    TimezoneName,
)
from bursar.api.merging import named
from bursar.api.paging import PageMeta, PageQuery, numbered
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.domain.access import Permission, Person
from bursar.domain.currencies import Currency
from bursar.domain.numbering import NumberScope
from bursar.domain.orgs import Mode
from bursar.domain.refusals import (
    AddressNotVerified,
    IllegalTransition,
    InvalidInput,
    LastOwner,
    NotFound,
    StillInUse,
)
from bursar.domain.shapes.orgs import MemberOut, MembershipOut, OrganizationOut
from bursar.operations.members import (
    LeaveOrganization,
    TransferOwnership,
    leave_organization,
    transfer_ownership,
)
from bursar.operations.orgs import (
    CreateOrganization,
    DeleteOrganization,
    UpdateOrganization,
    create_organization,
    delete_organization,
    update_organization,
)
from bursar.reads.orgs import my_organizations, organization
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Organizations",
    prefix="/v1/organizations",
    about="Each is a world of its own: nothing of one is ever seen in another.",
)


class NewOrganization(Body, frozen=True):
    """An organization to found; only a live one touches real money."""

    name: Name
    currency: CurrencyCode = Currency("usd")
    timezone: TimezoneName = "UTC"
    mode: Mode = Mode.SANDBOX
    invoice_prefix: InvoicePrefix = "INV"
    net_terms_days: Days = 14
    reactivation_grace_days: Days = 30
    is_credit_applied: bool = True
    dunning: DunningBody | None = None
    invoice_numbering: NumberScope = NumberScope.ORGANIZATION
    has_yearly_numbers: bool = True


class OrganizationPatch(Body, frozen=True):
    """Settings to change."""

    name: Name | UnsetType = UNSET
    currency: CurrencyCode | UnsetType = UNSET
    timezone: TimezoneName | UnsetType = UNSET
    invoice_prefix: InvoicePrefix | UnsetType = UNSET
    net_terms_days: Days | UnsetType = UNSET
    reactivation_grace_days: Days | UnsetType = UNSET
    is_credit_applied: bool | UnsetType = UNSET
    dunning: DunningBody | UnsetType | None = UNSET
    invoice_grace_hours: GraceHours | UnsetType = UNSET
    has_zero_invoices: bool | UnsetType = UNSET
    has_consolidated_invoices: bool | UnsetType = UNSET
    invoice_numbering: NumberScope | UnsetType = UNSET
    has_yearly_numbers: bool | UnsetType = UNSET


class Transfer(Body, frozen=True):
    """Who owns the organization from now on."""

    member_id: MemberRef


def _require_zone(name: str) -> None:
    """A time zone we know.

    Raises:
        InvalidInput: the calendar has no such place.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput.at("timezone", "expected an IANA time zone", "unknown_value") from None


@ROOM.post(
    "",
    Terms(
        needs=Permission.SELF,
        takes=NewOrganization,
        gives=OrganizationOut,
        status=201,
        audience=Audience.PERSON,
        refuses=(AddressNotVerified,),
    ),
)
async def found_organization(call: Call[NewOrganization, NoQuery]) -> Answer:
    """Found an organization; whoever asks becomes its owner.

    A live one needs a verified e-mail address.
    """
    body, actor = call.body, call.caller.actor
    assert isinstance(actor, Person), "the audience of this route"
    _require_zone(body.timezone)
    settings: dict[str, Any] = {name: getattr(body, name) for name in body.__struct_fields__}
    settings["dunning"] = None if body.dunning is None else body.dunning.to_policy()
    command = CreateOrganization(owner=actor.user_id, **settings)
    reply = created(OrganizationOut.of, ROOM.prefix)
    return await changed(call.caller, create_organization, command, reply)


@ROOM.get(
    "",
    Terms(
        needs=Permission.SELF,
        gives=MembershipOut,
        is_list=True,
        query=PageQuery,
        audience=Audience.PERSON,
    ),
)
async def list_organizations(call: Call[None, PageQuery]) -> Answer:
    """List the organizations one belongs to, and as what."""
    page = numbered(call.query)
    every = await call.caller.look(my_organizations)
    shown = every[page.offset : page.offset + page.size]
    meta = PageMeta.of(page, len(every))
    return Answer(200, encoded({"data": [*map(MembershipOut.of, shown)], "meta": meta}))


@ROOM.get(
    "/{organizationId}",
    Terms(
        needs=Permission.ORG_READ,
        gives=OrganizationOut,
        audience=Audience.PATH_ORG,
        refuses=(NotFound,),
    ),
)
async def get_organization(call: Call[None, NoQuery]) -> Answer:
    """Get an organization with its settings."""
    return resource(OrganizationOut.of(await call.caller.look(organization)))


@ROOM.patch(
    "/{organizationId}",
    Terms(
        needs=Permission.ORG_WRITE,
        takes=OrganizationPatch,
        gives=OrganizationOut,
        audience=Audience.PATH_ORG,
        refuses=(NotFound,),
    ),
)
async def change_organization(call: Call[OrganizationPatch, NoQuery]) -> Answer:
    """Change an organization's settings; documents that are final keep theirs."""
    changes = named(call.body)
    if "timezone" in changes:
        _require_zone(changes["timezone"])
    if isinstance(call.body.dunning, DunningBody):
        changes["dunning"] = call.body.dunning.to_policy()
    command = UpdateOrganization(changes)
    return await changed(call.caller, update_organization, command, found(OrganizationOut.of))


@ROOM.delete(
    "/{organizationId}",
    Terms(
        needs=Permission.ORG_DELETE,
        status=204,
        audience=Audience.PATH_ORG,
        refuses=(NotFound, StillInUse),
    ),
)
async def delete_one_organization(call: Call[Nothing, NoQuery]) -> Answer:
    """Delete an organization in which nothing is open.

    Nobody enters it any more and its keys stop working; its books and its log stay.
    """
    return await changed(call.caller, delete_organization, DeleteOrganization(), gone)


@ROOM.post(
    "/{organizationId}/transfer-ownership",
    Terms(
        needs=Permission.ORG_TRANSFER,
        takes=Transfer,
        gives=MemberOut,
        audience=Audience.PATH_ORG,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def transfer_organization(call: Call[Transfer, NoQuery]) -> Answer:
    """Make another member the owner in one's own place; oneself becomes an administrator."""
    command = TransferOwnership(call.body.member_id)
    return await changed(call.caller, transfer_ownership, command, found(MemberOut.of))


@ROOM.post(
    "/{organizationId}/leave",
    Terms(
        needs=Permission.MEMBER_LEAVE,
        takes=Nothing,
        status=204,
        audience=Audience.PATH_ORG,
        refuses=(NotFound, LastOwner),
    ),
)
async def leave_one_organization(call: Call[Nothing, NoQuery]) -> Answer:
    """Leave an organization; its last owner cannot."""
    return await changed(call.caller, leave_organization, LeaveOrganization(), gone)
