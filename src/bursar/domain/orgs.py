"""Organizations, their members, and the settings a billing rule may read.

An organization is the tenant: every other row belongs to exactly one. Its mode decides which payment
provider it talks to; a sandbox organization never touches real money.
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


def found(organization: Organization, owner: Member) -> Change:
    """A new organization with its first owner."""
    assert owner.role is Role.OWNER
    return Change(
        rows=(organization, owner),
        events=(OrganizationCreated(organization), MemberAdded(owner)),
    )
