"""Organizations, their members, and the settings a billing rule may read.

An organization is the tenant: every other row belongs to exactly one. Its mode decides which
payment provider it talks to; a sandbox organization never touches real money.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from bursar.domain.access import Role
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.events import MemberAdded, OrganizationCreated, OrganizationUpdated
from bursar.domain.ids import MemberId, OrgId, UserId
from bursar.domain.times import Instant


class Mode(StrEnum):
    """Whether money is real."""

    LIVE = "live"
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Organization:
    """One tenant."""

    id: OrgId
    name: str
    currency: Currency
    timezone: str
    mode: Mode
    invoice_prefix: str
    net_terms_days: int
    reactivation_grace_days: int
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def renamed(self, **settings: object) -> Change | None:
        """The settings given, or nothing when none of them differs."""
        after = replace(self, **settings)  # type: ignore[arg-type]  # field names are the caller's
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(OrganizationUpdated(after, self),))


@dataclass(frozen=True, slots=True)
class Member:
    """A person's place in an organization."""

    id: MemberId
    user_id: UserId
    role: Role
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant


@dataclass(frozen=True, slots=True)
class User:
    """A person, known to the whole installation, whatever organizations they belong to."""

    id: UserId
    email: str
    name: str
    is_operator: bool
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Membership:
    """An organization a person belongs to, and what they are there."""

    org_id: OrgId
    name: str
    mode: Mode
    role: Role


@dataclass(frozen=True, slots=True)
class Me:
    """Somebody signed in, with everywhere they belong."""

    user: User
    memberships: tuple[Membership, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member as the others see them: with a name."""

    member: Member
    user: User

    @property
    def id(self) -> MemberId:
        """The member's id."""
        return self.member.id


def found(organization: Organization, owner: Member) -> Change:
    """A new organization with its first owner."""
    assert owner.role is Role.OWNER
    return Change(
        rows=(organization, owner),
        events=(OrganizationCreated(organization), MemberAdded(owner)),
    )


def new_organization(org_id: OrgId, name: str, *, at: Instant) -> Organization:
    """An organization with the settings that every one starts with."""
    return Organization(
        id=org_id,
        name=name,
        currency=Currency("usd"),
        timezone="UTC",
        mode=Mode.SANDBOX,
        invoice_prefix="INV",
        net_terms_days=14,
        reactivation_grace_days=30,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def new_owner(member_id: MemberId, user_id: UserId, *, at: Instant) -> Member:
    """The first member of an organization."""
    return Member(member_id, user_id, Role.OWNER, 1, 0, at, at)
