"""Founding organizations, changing their settings, and ending them."""

from collections.abc import Mapping

from msgspec import Struct

from bursar.domain.access import Permission, Person
from bursar.domain.currencies import Currency
from bursar.domain.dunning_policies import DunningPolicy
from bursar.domain.frozen import replace
from bursar.domain.ids import MemberId, OrgId, UserId
from bursar.domain.members import new_owner
from bursar.domain.numbering import NumberScope
from bursar.domain.orgs import Mode, Organization, found, new_organization
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import directory, orgs
from bursar.store.apply import apply


class CreateOrganization(Struct, frozen=True, kw_only=True):
    """A new tenant; its maker becomes the owner."""

    owner: UserId
    name: str
    currency: Currency
    timezone: str = "UTC"
    mode: Mode = Mode.SANDBOX
    invoice_prefix: str = "INV"
    net_terms_days: int = 14
    reactivation_grace_days: int = 30
    is_credit_applied: bool = True
    dunning: DunningPolicy | None = None
    invoice_numbering: NumberScope = NumberScope.ORGANIZATION
    has_yearly_numbers: bool = True


@operation(requires=Permission.SELF)
async def create_organization(tx: Tx, command: CreateOrganization) -> Organization:
    """Found an organization.

    Raises:
        AddressNotVerified: a live one, by somebody whose address is not known to be theirs.
    """
    if command.mode is Mode.LIVE and isinstance(tx.standing.actor, Person):
        (await directory.user(tx, command.owner)).require_verified()
    organization = replace(
        new_organization(OrgId(tx.new_id("org")), command.name, at=tx.now),
        currency=command.currency,
        timezone=command.timezone,
        mode=command.mode,
        invoice_prefix=command.invoice_prefix,
        net_terms_days=command.net_terms_days,
        reactivation_grace_days=command.reactivation_grace_days,
        is_credit_applied=command.is_credit_applied,
        dunning=command.dunning,
        invoice_numbering=command.invoice_numbering,
        has_yearly_numbers=command.has_yearly_numbers,
    )
    owner = new_owner(MemberId(tx.new_id("mem")), command.owner, at=tx.now)
    scope = tx.org_id
    await tx.bind(organization.id)
    written = (await apply(tx, found(organization, owner)))[organization.id]
    await tx.bind(scope)  # the idempotency key belongs to the person
    assert isinstance(written, Organization)
    return written


class UpdateOrganization(Struct, frozen=True):
    """Settings to change, by field name of `Organization`."""

    changes: Mapping[str, object]


@operation(requires=Permission.ORG_WRITE)
async def update_organization(tx: Tx, command: UpdateOrganization) -> Organization:
    """Change settings; what is the same stays untold."""
    organization = await orgs.get(tx)
    change = organization.renamed(**command.changes)
    if change is None:
        return organization
    written = (await apply(tx, change))[organization.id]
    assert isinstance(written, Organization)
    return written


class DeleteOrganization(Struct, frozen=True):
    """The end of the bound organization."""


@operation(requires=Permission.ORG_DELETE)
async def delete_organization(tx: Tx, _command: DeleteOrganization) -> Organization:
    """Nobody enters any more, no key of it works; its books and its log stay.

    Raises:
        StillInUse: something in it is not finished.
    """
    organization = await orgs.lock_out(tx)
    change = organization.delete(unfinished=await orgs.unfinished(tx), at=tx.wall)
    written = (await apply(tx, change))[organization.id]
    assert isinstance(written, Organization)
    return written
