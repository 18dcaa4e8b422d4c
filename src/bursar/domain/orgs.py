"""Organizations, their people, and the settings a billing rule may read.

An organization is the tenant: every other row belongs to exactly one. Its mode decides which
payment provider it talks to; a sandbox organization never touches real money. Who may become a
member, and how, is for `members` to say.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from bursar.domain.access import Role
from bursar.domain.change import Change
from bursar.domain.currencies import Currency
from bursar.domain.dunning_policies import DunningPolicy
from bursar.domain.events import (
    MemberAdded,
    OrganizationCreated,
    OrganizationDeleted,
    OrganizationUpdated,
)
from bursar.domain.frozen import replace
from bursar.domain.ids import MemberId, OrgId, UserId
from bursar.domain.members import Member
from bursar.domain.numbering import Numbering, NumberScope
from bursar.domain.refusals import AddressNotVerified, StillInUse
from bursar.domain.times import Instant


class Mode(StrEnum):
    """Whether money is real."""

    LIVE = "live"
    SANDBOX = "sandbox"


class Organization(Struct, frozen=True):
    """One tenant."""

    id: OrgId
    name: str
    currency: Currency
    timezone: str
    mode: Mode
    invoice_prefix: str
    net_terms_days: int
    reactivation_grace_days: int
    is_credit_applied: bool  # a customer's credit pays what is finalized, as far as it goes
    dunning: DunningPolicy | None  # None: as the installation does
    invoice_grace_hours: int  # how long what billing makes waits for late usage before it is final
    has_zero_invoices: bool  # billing makes invoices over nothing, too
    has_consolidated_invoices: bool  # what a customer has due at one instant is one invoice
    invoice_numbering: NumberScope  # whose documents share a series
    has_yearly_numbers: bool  # series begin anew each civil year
    deleted_at: Instant | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def numbering(self) -> Numbering:
        """How its documents are numbered."""
        return Numbering(
            self.invoice_prefix, self.invoice_numbering, self.has_yearly_numbers, self.timezone
        )

    def renamed(self, **settings: object) -> Change | None:
        """The settings given, or nothing when none of them differs."""
        after = replace(self, **settings)  # type: ignore[arg-type]  # field names are the caller's
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        return Change(rows=(after,), events=(OrganizationUpdated(after, self),))

    def delete(self, *, unfinished: Mapping[str, int], at: Instant) -> Change:
        """Nobody enters any more; the books and the log stay.

        Raises:
            StillInUse: something is not finished: `unfinished` counts it by noun.
        """
        assert self.deleted_at is None, "nobody enters a deleted organization"
        left = {noun: count for noun, count in unfinished.items() if count}
        if left:
            told = ", ".join(f"{count} {noun}" for noun, count in left.items())
            raise StillInUse(f"The organization still has {told}.", facts={"unfinished": left})
        after = replace(self, deleted_at=at, version=self.version + 1)
        return Change(rows=(after,), events=(OrganizationDeleted(after, self),))


class User(Struct, frozen=True):
    """A person, known to the whole installation, whatever organizations they belong to."""

    id: UserId
    email: str
    name: str
    is_operator: bool
    verified_at: Instant | None
    created_at: Instant

    def require_verified(self) -> None:
        """Check that the person's address is known to be theirs.

        Raises:
            AddressNotVerified: it is not.
        """
        if self.verified_at is None:
            raise AddressNotVerified("Verify your e-mail address first; it was sent a link.")


class Membership(Struct, frozen=True):
    """An organization a person belongs to, and what they are there."""

    org_id: OrgId
    name: str
    mode: Mode
    role: Role


class Me(Struct, frozen=True):
    """Somebody signed in, with everywhere they belong."""

    user: User
    memberships: tuple[Membership, ...]
    has_second_factor: bool


class Colleague(Struct, frozen=True):
    """A member as the others see them: with a name, once the invitation is accepted."""

    member: Member
    user: User | None

    @property
    def id(self) -> MemberId:
        """The member's id."""
        return self.member.id

    @property
    def email(self) -> str:
        """Where they are reached: the person's address, or the one that was invited."""
        email = self.member.email if self.user is None else self.user.email
        assert email is not None, "who is not here yet was invited somewhere"
        return email


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
        is_credit_applied=True,
        dunning=None,
        invoice_grace_hours=0,
        has_zero_invoices=True,
        has_consolidated_invoices=False,
        invoice_numbering=NumberScope.ORGANIZATION,
        has_yearly_numbers=True,
        deleted_at=None,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )
