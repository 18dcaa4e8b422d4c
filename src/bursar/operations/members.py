"""Inviting people into an organization, what they become there, and how they go.

Whoever changes members holds the organization's lock first, so that two owners who leave at once
cannot both find the other one still there.
"""

from msgspec import Struct

from bursar.domain.access import Permission, Person, Role
from bursar.domain.change import Change
from bursar.domain.ids import MemberId, OrgId, UserId
from bursar.domain.mails import MailKind, NewMail
from bursar.domain.members import MEMBERS_MAX, Member, invite, new_invitation
from bursar.domain.orgs import Organization
from bursar.domain.people import AuthFact
from bursar.domain.refusals import (
    AlreadyMember,
    InvalidInput,
    LimitReached,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.runtime.tokens import invitation_hash, new_invitation_token
from bursar.store import auth_events, directory, mails, members, orgs
from bursar.store.apply import apply


class InviteMember(Struct, frozen=True):
    """A place for whoever reads this address's mail."""

    email: str
    role: Role


@operation(requires=Permission.MEMBER_WRITE)
async def invite_member(tx: Tx, command: InviteMember) -> Member:
    """Keep a place for an address and mail the token that opens it: nobody else learns it.

    Inviting an address once more makes the token before void.

    Raises:
        RoleAboveOwn: the role is above the caller's own.
        AlreadyMember: the address belongs to a member.
        LimitReached: there are too many members and invitations.
        AddressNotVerified: the caller's own address is not known to be theirs.
    """
    inviter = await _inviter(tx)
    organization = await orgs.lock(tx)
    email, token = command.email.lower(), new_invitation_token()
    if await members.has_email(tx, email):
        raise AlreadyMember(f"{email} is a member already.")
    member = await _kept(tx, email, command.role, invitation_hash(tx.keys, token))
    letter = {
        "organization": organization.name,
        "inviter": inviter,
        "role": command.role.value,
        "token": token,
    }
    await mails.post(tx, NewMail(kind=MailKind.INVITATION, recipient=email, parameters=letter))
    return member


class AcceptInvitation(Struct, frozen=True):
    """A person shows an invitation's token (its hash under each key)."""

    user_id: UserId
    hashes: list[bytes]


class Joined(Struct, frozen=True):
    """Where somebody belongs now, and as what."""

    organization: Organization
    member: Member


@operation(requires=Permission.SELF)
async def accept_invitation(tx: Tx, command: AcceptInvitation) -> Joined:
    """Take the place that was kept; the person's own address must be the invited one.

    Raises:
        NotFound: the token opens nothing (any more).
        EmailMismatch: it was sent to another address.
        AlreadyMember: the person has a place there by now.
    """
    found = await members.find_invitation(tx, command.hashes)
    if found is None:
        raise NotFound("No such invitation (any more).")
    person = await directory.user(tx, command.user_id)
    if person.verified_at is None:  # whoever has the token reads the mail of that address
        await directory.verify_user(tx)
        await auth_events.tell(tx, AuthFact.ADDRESS_VERIFIED)
    await tx.bind(OrgId(found[0]))
    organization = await orgs.lock(tx)
    member = await members.get(tx, found[1])
    if await members.has_email(tx, person.email):
        raise AlreadyMember("You are a member already.")
    change = member.accept(person.id, person.email, tx.wall)
    return Joined(organization, await _written(tx, member, change))


class ChangeRole(Struct, frozen=True):
    """Another role for a member."""

    member_id: MemberId
    role: Role
    expected_version: int | None = None


@operation(requires=Permission.MEMBER_WRITE)
async def change_role(tx: Tx, command: ChangeRole) -> Member:
    """Give a member, or whoever is invited, another role.

    Raises:
        RoleAboveOwn: either role is above the caller's own.
        LastOwner: the organization would have no owner.
    """
    await orgs.lock(tx)
    member = await members.get(tx, command.member_id)
    if command.expected_version not in {None, member.version}:
        raise PreconditionFailed(f"{member.id} is at version {member.version}.")
    others = await members.other_owners(tx, member.id)
    change = member.change_role(command.role, by=tx.standing, other_owners=others)
    return await _written(tx, member, change)


class RemoveMember(Struct, frozen=True):
    """The end of a member's place, or of an invitation."""

    member_id: MemberId


@operation(requires=Permission.MEMBER_WRITE)
async def remove_member(tx: Tx, command: RemoveMember) -> Member:
    """Take a place away; what the person asks next in this organization is a 404.

    Raises:
        RoleAboveOwn: their role is above the caller's own.
        LastOwner: the organization would have no owner.
    """
    await orgs.lock(tx)
    member = await members.get(tx, command.member_id)
    others = await members.other_owners(tx, member.id)
    return await _written(tx, member, member.remove(by=tx.standing, other_owners=others))


class LeaveOrganization(Struct, frozen=True):
    """A member goes of their own accord."""


@operation(requires=Permission.MEMBER_LEAVE)
async def leave_organization(tx: Tx, _command: LeaveOrganization) -> Member:
    """Give up one's own place.

    Raises:
        LastOwner: the organization would have no owner.
    """
    await orgs.lock(tx)
    member = await members.of_user(tx, _person(tx))
    others = await members.other_owners(tx, member.id)
    return await _written(tx, member, member.leave(other_owners=others))


class TransferOwnership(Struct, frozen=True):
    """The caller's ownership for another member."""

    member_id: MemberId


@operation(requires=Permission.ORG_TRANSFER)
async def transfer_ownership(tx: Tx, command: TransferOwnership) -> Member:
    """The member owns the organization; whoever owned it administers it from now on.

    Raises:
        InvalidInput: the caller themselves.
        IllegalTransition: an invitation that nobody accepted.
    """
    await orgs.lock(tx)
    owner = await members.of_user(tx, _person(tx))
    member = await members.get(tx, command.member_id)
    if owner.id == member.id:
        raise InvalidInput.at("memberId", "you own it already", "already_owner")
    return await _written(tx, member, owner.hand_over(member))


class NameOperator(Struct, frozen=True):
    """Who may see what belongs to no organization: the queues, the installation's health."""

    email: str
    is_operator: bool = True


@operation(requires=Permission.OPERATOR_NAME)
async def name_operator(tx: Tx, command: NameOperator) -> None:
    """Make somebody an operator of this installation, or take it back.

    Raises:
        NotFound: nobody has this address.
    """
    await directory.name_operator(tx, command.email.lower(), is_operator=command.is_operator)


async def _kept(tx: Tx, email: str, role: Role, token_hash: bytes) -> Member:
    waiting = await members.invited(tx, email)
    if waiting is not None:
        again = waiting.invite_again(role, token_hash=token_hash, by=tx.standing, at=tx.wall)
        return await _written(tx, waiting, again)
    if await members.count(tx) >= MEMBERS_MAX:
        raise LimitReached(f"An organization has at most {MEMBERS_MAX} members and invitations.")
    made = new_invitation(
        MemberId(tx.new_id("mem")), email, role, token_hash=token_hash, at=tx.wall
    )
    return await _written(tx, made, invite(made, by=tx.standing))


async def _inviter(tx: Tx) -> str:
    actor = tx.standing.actor
    if isinstance(actor, Person):
        user = await directory.user(tx, actor.user_id)
        user.require_verified()
        return user.name
    return "The operator of this installation"


def _person(tx: Tx) -> UserId:
    actor = tx.standing.actor
    if not isinstance(actor, Person):
        raise NotAllowed("Only a member of the organization can do this for themselves.")
    return actor.user_id


async def _written(tx: Tx, member: Member, change: Change | None) -> Member:
    if change is None:
        return member
    written = (await apply(tx, change))[member.id]
    assert isinstance(written, Member)
    return written
