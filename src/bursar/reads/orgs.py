"""Looks at the organization itself, and at those one person belongs to."""

from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.domain.orgs import Membership, Organization
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_membership, row_to_organization
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.ORG_READ)
async def organization(tx: ReadTx) -> Organization:
    """The bound organization.

    Raises:
        NotFound: it does not exist.
    """
    row = await tx.fetchrow(Q.organization, uuid_of(tx.org_id))
    if row is None:
        raise NotFound(f"No organization {tx.org_id}.")
    return row_to_organization(row)


@query(requires=Permission.SELF)
async def my_organizations(tx: ReadTx) -> tuple[Membership, ...]:
    """Where the person belongs; without an organization, a person is bound to themselves."""
    return tuple(map(row_to_membership, await tx.fetch(Q.memberships, uuid_of(tx.org_id))))
