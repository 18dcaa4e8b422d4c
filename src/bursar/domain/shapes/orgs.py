"""Organizations, their members, and people, as the world sees them. No password, no session."""

from typing import Annotated, Literal

from bursar.domain.access import Role
from bursar.domain.members import Member, MemberStatus
from bursar.domain.numbering import NumberScope
from bursar.domain.orgs import Colleague, Me, Membership, Mode, Organization, User
from bursar.domain.shapes.dunning import DunningPolicyOut
from bursar.domain.shapes.fields import Shape, WireInstant, instant, shown_as
from bursar.domain.times import wire_instant


class OrganizationOut(Shape, frozen=True, kw_only=True):
    """One organization with its settings."""

    id: str
    object: Literal["organization"] = "organization"
    name: str
    currency: str
    timezone: str
    mode: Mode
    invoice_prefix: str
    net_terms_days: int
    reactivation_grace_days: int
    is_credit_applied: bool
    dunning: DunningPolicyOut | None
    invoice_grace_hours: int
    has_zero_invoices: bool
    has_consolidated_invoices: bool
    invoice_numbering: NumberScope
    has_yearly_numbers: bool
    deleted_at: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, organization: Organization) -> "OrganizationOut":
        """The organization's shape."""
        return cls(
            id=organization.id,
            name=organization.name,
            currency=organization.currency,
            timezone=organization.timezone,
            mode=organization.mode,
            invoice_prefix=organization.invoice_prefix,
            net_terms_days=organization.net_terms_days,
            reactivation_grace_days=organization.reactivation_grace_days,
            is_credit_applied=organization.is_credit_applied,
            dunning=None
            if organization.dunning is None
            else DunningPolicyOut.of(organization.dunning),
            invoice_grace_hours=organization.invoice_grace_hours,
            has_zero_invoices=organization.has_zero_invoices,
            has_consolidated_invoices=organization.has_consolidated_invoices,
            invoice_numbering=organization.invoice_numbering,
            has_yearly_numbers=organization.has_yearly_numbers,
            deleted_at=instant(organization.deleted_at),
            version=organization.version,
            created_at=wire_instant(organization.created_at),
            updated_at=wire_instant(organization.updated_at),
        )


class UserOut(Shape, frozen=True, kw_only=True):
    """One person."""

    id: Annotated[str, shown_as("usr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")]
    object: Literal["user"] = "user"
    email: str
    name: str
    is_email_verified: bool
    created_at: WireInstant

    @classmethod
    def of(cls, user: User) -> "UserOut":
        """The person's shape."""
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            is_email_verified=user.verified_at is not None,
            created_at=wire_instant(user.created_at),
        )


class MemberOut(Shape, frozen=True, kw_only=True):
    """A person's place in an organization; `email` is where they were invited, if they were."""

    id: str
    object: Literal["member"] = "member"
    user_id: str | None
    email: str | None
    role: Role
    status: MemberStatus
    invited_until: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, member: Member) -> "MemberOut":
        """The member's shape."""
        return cls(
            id=member.id,
            user_id=member.user_id,
            email=member.email,
            role=member.role,
            status=member.status,
            invited_until=instant(member.invited_until),
            version=member.version,
            created_at=wire_instant(member.created_at),
            updated_at=wire_instant(member.updated_at),
        )


class ColleagueOut(Shape, frozen=True, kw_only=True):
    """A member as the others see them: with a name, once the invitation is accepted."""

    id: str
    object: Literal["member"] = "member"
    user_id: str | None
    email: str
    name: str | None
    role: Role
    status: MemberStatus
    invited_until: WireInstant | None
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, colleague: Colleague) -> "ColleagueOut":
        """The colleague's shape."""
        member, user = colleague.member, colleague.user
        return cls(
            id=member.id,
            user_id=member.user_id,
            email=colleague.email,
            name=None if user is None else user.name,
            role=member.role,
            status=member.status,
            invited_until=instant(member.invited_until),
            version=member.version,
            created_at=wire_instant(member.created_at),
            updated_at=wire_instant(member.updated_at),
        )


class MembershipOut(Shape, frozen=True, kw_only=True):
    """An organization one belongs to, and as what."""

    organization_id: str
    name: str
    mode: Mode
    role: Role

    @classmethod
    def of(cls, membership: Membership) -> "MembershipOut":
        """The membership's shape."""
        return cls(
            organization_id=membership.org_id,
            name=membership.name,
            mode=membership.mode,
            role=membership.role,
        )


class MeOut(Shape, frozen=True, kw_only=True):
    """The person signed in, with everywhere they belong."""

    id: Annotated[str, shown_as("usr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")]
    object: Literal["user"] = "user"
    email: str
    name: str
    is_email_verified: bool
    has_second_factor: bool
    memberships: tuple[MembershipOut, ...]
    created_at: WireInstant

    @classmethod
    def of(cls, me: Me) -> "MeOut":
        """The signed-in person's shape."""
        return cls(
            id=me.user.id,
            email=me.user.email,
            name=me.user.name,
            is_email_verified=me.user.verified_at is not None,
            has_second_factor=me.has_second_factor,
            memberships=tuple(MembershipOut.of(membership) for membership in me.memberships),
            created_at=wire_instant(me.user.created_at),
        )
