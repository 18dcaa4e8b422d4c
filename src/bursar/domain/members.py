"""Members: the places that people have in an organization, and how they come and go.

An invitation is a place that nobody has taken yet. Nobody gives, changes or takes away a role above
their own, and an organization always keeps an owner: how many others there are is told by whoever
calls, who holds the organization's lock.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.access import Role, Standing
from bursar.domain.change import Change
from bursar.domain.events import (
    MemberAdded,
    MemberInvited,
    MemberLeft,
    MemberRemoved,
    MemberRoleChanged,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import MemberId, UserId
from bursar.domain.refusals import (
    EmailMismatch,
    IllegalTransition,
    LastOwner,
    NotFound,
    RoleAboveOwn,
)
from bursar.domain.times import Instant

INVITATION_LIFE: Final = timedelta(days=7)
MEMBERS_MAX: Final = 1000


class MemberStatus(StrEnum):
    """How far a place is taken."""

    INVITED = "invited"
    ACTIVE = "active"
    REMOVED = "removed"


TRANSITIONS: Final[dict[MemberStatus, tuple[MemberStatus, ...]]] = {
    MemberStatus.INVITED: (MemberStatus.ACTIVE, MemberStatus.REMOVED),
    MemberStatus.ACTIVE: (MemberStatus.REMOVED,),
    MemberStatus.REMOVED: (),
}


class Member(Struct, frozen=True):
    """A person's place in an organization; `email` is where they were invited, if they were."""

    id: MemberId
    user_id: UserId | None
    role: Role
    status: MemberStatus
    email: str | None
    token_hash: bytes | None
    invited_until: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def to(self, status: MemberStatus) -> "Member":
        """The same place in its next state.

        Raises:
            IllegalTransition: there is no such step.
        """
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(
                f"Member {self.id} is {self.status}; it cannot become {status}.",
                facts={
                    "currentStatus": self.status,
                    "allowedTransitions": list(TRANSITIONS[self.status]),
                },
            )
        return replace(self, status=status, version=self.version + 1)

    def invite_again(self, role: Role, *, token_hash: bytes, by: Standing, at: Instant) -> Change:
        """A new token for an invitation that still stands; the one before opens nothing any more.

        Raises:
            RoleAboveOwn: the role asked for, or the one given before, is above the caller's own.
        """
        require_reach(by, self.role)
        require_reach(by, role)
        after = replace(
            self,
            role=role,
            token_hash=token_hash,
            invited_until=at + INVITATION_LIFE,
            version=self.version + 1,
        )
        return Change(rows=(after,), events=(MemberInvited(after, self),))

    def accept(self, user_id: UserId, email: str, at: Instant) -> Change:
        """Somebody takes the place that was kept for their address.

        Raises:
            NotFound: the invitation is over.
            EmailMismatch: it was sent to another address.
        """
        if self.status is not MemberStatus.INVITED or (self.invited_until or at) <= at:
            raise NotFound("No such invitation (any more).")
        if self.email != email:
            raise EmailMismatch("This invitation was sent to another address; sign in with that.")
        after = replace(
            self.to(MemberStatus.ACTIVE), user_id=user_id, token_hash=None, invited_until=None
        )
        return Change(rows=(after,), events=(MemberAdded(after, self),))

    def change_role(self, role: Role, *, by: Standing, other_owners: int) -> Change | None:
        """Another role.

        Raises:
            RoleAboveOwn: the role asked for, or the present one, is above the caller's own.
            LastOwner: the organization would have no owner.
        """
        if self.status is MemberStatus.REMOVED:
            raise NotFound(f"No member {self.id}.")
        require_reach(by, self.role)
        require_reach(by, role)
        if role is self.role:
            return None
        self._keep_an_owner(other_owners)
        after = replace(self, role=role, version=self.version + 1)
        return Change(rows=(after,), events=(MemberRoleChanged(after, self),))

    def remove(self, *, by: Standing, other_owners: int) -> Change:
        """The place is taken away, or the invitation back.

        Raises:
            RoleAboveOwn: their role is above the caller's own.
            LastOwner: the organization would have no owner.
        """
        require_reach(by, self.role)
        self._keep_an_owner(other_owners)
        after = replace(self.to(MemberStatus.REMOVED), token_hash=None, invited_until=None)
        return Change(rows=(after,), events=(MemberRemoved(after, self),))

    def leave(self, *, other_owners: int) -> Change:
        """The person goes of their own accord.

        Raises:
            LastOwner: the organization would have no owner.
        """
        self._keep_an_owner(other_owners)
        after = self.to(MemberStatus.REMOVED)
        return Change(rows=(after,), events=(MemberLeft(after, self),))

    def hand_over(self, successor: "Member") -> Change:
        """The ownership goes to another member; the owner before stays as an administrator.

        Raises:
            IllegalTransition: the successor is not somebody yet.
        """
        if successor.status is not MemberStatus.ACTIVE:
            raise IllegalTransition(
                f"Member {successor.id} is {successor.status}, and cannot own anything."
            )
        before = replace(self, role=Role.ADMIN, version=self.version + 1)
        after = replace(successor, role=Role.OWNER, version=successor.version + 1)
        return Change(
            rows=(after, before),
            events=(MemberRoleChanged(after, successor), MemberRoleChanged(before, self)),
        )

    def _keep_an_owner(self, other_owners: int) -> None:
        if self.role is Role.OWNER and self.status is MemberStatus.ACTIVE and not other_owners:
            raise LastOwner("The organization would be left without an owner.")


def require_reach(by: Standing, role: Role) -> None:
    """Check that a role is within the caller's reach.

    Raises:
        RoleAboveOwn: it is not.
    """
    if not by.reaches(role):
        raise RoleAboveOwn(f"The role {role} is above your own.", facts={"role": role})


def new_owner(member_id: MemberId, user_id: UserId, *, at: Instant) -> Member:
    """The first member of an organization."""
    return Member(
        id=member_id,
        user_id=user_id,
        role=Role.OWNER,
        status=MemberStatus.ACTIVE,
        email=None,
        token_hash=None,
        invited_until=None,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def new_invitation(
    member_id: MemberId, email: str, role: Role, *, token_hash: bytes, at: Instant
) -> Member:
    """A place kept for an address."""
    return Member(
        id=member_id,
        user_id=None,
        role=role,
        status=MemberStatus.INVITED,
        email=email,
        token_hash=token_hash,
        invited_until=at + INVITATION_LIFE,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def invite(member: Member, *, by: Standing) -> Change:
    """A place for whoever shows the token in time.

    Raises:
        RoleAboveOwn: the role is above the caller's own.
    """
    require_reach(by, member.role)
    return Change(rows=(member,), events=(MemberInvited(member),))
