"""`/v1/members`: who belongs to an organization, and who is invited."""

from typing import Annotated, Any

from msgspec import Meta

from bursar.api.envelope import changed, created, encoded, found, gone, resource
from bursar.api.fields import Body, Credential, Email, NoQuery, Nothing
from bursar.api.paging import PageMeta, PageQuery, numbered
from bursar.api.routes import Audience, Call, Room, Terms
from bursar.domain.access import Permission, Person, Role
from bursar.domain.ids import MemberId
from bursar.domain.refusals import (
    AddressNotVerified,
    AlreadyMember,
    EmailMismatch,
    LastOwner,
    LimitReached,
    NotFound,
    PreconditionFailed,
    RoleAboveOwn,
)
from bursar.domain.shapes.fields import Shape
from bursar.domain.shapes.orgs import ColleagueOut, MemberOut, OrganizationOut
from bursar.operations.members import (
    AcceptInvitation,
    ChangeRole,
    InviteMember,
    RemoveMember,
    accept_invitation,
    change_role,
    invite_member,
    remove_member,
)
from bursar.reads.members import member, members
from bursar.runtime.idempotency import Answer
from bursar.runtime.tokens import BadToken, invitation_hashes

ROOM = Room("Members", prefix="/v1/members", about="The people of an organization.")
DOOR = Room("Members", prefix="/v1/auth", about="The people of an organization.")


class Invitation(Body, frozen=True):
    """Who should come, and as what."""

    email: Email
    role: Role


class RolePatch(Body, frozen=True):
    """What a member is from now on."""

    role: Role


class InvitationToken(Body, frozen=True):
    """The token that the invitation's mail carried."""

    token: Annotated[Credential, Meta(examples=["bsi_8sX2mVtQeYb0rN4wLkGzJcP1uHdF7aTi9oEyRxWqZvM"])]


class JoinedOut(Shape, frozen=True, kw_only=True):
    """Where one belongs now, and as what."""

    organization: OrganizationOut
    member: MemberOut


def _id(call: Call[Any, Any]) -> MemberId:
    return MemberId(call.id("memberId"))


@ROOM.get(
    "",
    Terms(needs=Permission.MEMBER_READ, gives=ColleagueOut, is_list=True, query=PageQuery),
)
async def list_members(call: Call[None, PageQuery]) -> Answer:
    """List the people of an organization and whoever is invited, first come first."""
    page = numbered(call.query)
    shown = await call.caller.look(members, page)
    meta = PageMeta.of(page, shown.total_count)
    return Answer(200, encoded({"data": [*map(ColleagueOut.of, shown.items)], "meta": meta}))


@ROOM.post(
    "/invitations",
    Terms(
        needs=Permission.MEMBER_WRITE,
        takes=Invitation,
        gives=MemberOut,
        status=201,
        refuses=(AddressNotVerified, RoleAboveOwn, AlreadyMember, LimitReached),
    ),
)
async def invite_person(call: Call[Invitation, NoQuery]) -> Answer:
    """Invite somebody by mail, as nothing above oneself.

    The mail's link works for a week. Inviting the same address again sends another, and the one
    before works no more.
    """
    command = InviteMember(call.body.email, call.body.role)
    return await changed(call.caller, invite_member, command, created(MemberOut.of, ROOM.prefix))


@ROOM.get(
    "/{memberId}", Terms(needs=Permission.MEMBER_READ, gives=ColleagueOut, refuses=(NotFound,))
)
async def get_member(call: Call[None, NoQuery]) -> Answer:
    """Get one member, or one invitation."""
    return resource(ColleagueOut.of(await call.caller.look(member, _id(call))))


@ROOM.patch(
    "/{memberId}",
    Terms(
        needs=Permission.MEMBER_WRITE,
        takes=RolePatch,
        gives=MemberOut,
        is_versioned=True,
        refuses=(NotFound, RoleAboveOwn, LastOwner, PreconditionFailed),
    ),
)
async def change_member(call: Call[RolePatch, NoQuery]) -> Answer:
    """Give a member another role; neither the old nor the new one may be above one's own."""
    command = ChangeRole(_id(call), call.body.role, call.expected_version)
    return await changed(call.caller, change_role, command, found(MemberOut.of))


@ROOM.delete(
    "/{memberId}",
    Terms(needs=Permission.MEMBER_WRITE, status=204, refuses=(NotFound, RoleAboveOwn, LastOwner)),
)
async def remove_one_member(call: Call[Nothing, NoQuery]) -> Answer:
    """Remove a member, or take an invitation back; the last owner stays."""
    return await changed(call.caller, remove_member, RemoveMember(_id(call)), gone)


@DOOR.post(
    "/accept-invitation",
    Terms(
        needs=Permission.SELF,
        takes=InvitationToken,
        gives=JoinedOut,
        audience=Audience.PERSON,
        refuses=(NotFound, EmailMismatch, AlreadyMember),
    ),
)
async def accept_one_invitation(call: Call[InvitationToken, NoQuery]) -> Answer:
    """Accept an invitation, signed in with the address it was sent to."""
    actor = call.caller.actor
    assert isinstance(actor, Person), "the audience of this route"
    try:
        hashes = invitation_hashes(call.caller.app.keys, call.body.token)
    except BadToken:
        raise NotFound("No such invitation (any more).") from None
    joined = await call.caller.run(accept_invitation, AcceptInvitation(actor.user_id, list(hashes)))
    organization = OrganizationOut.of(joined.organization)
    return resource(JoinedOut(organization=organization, member=MemberOut.of(joined.member)))
