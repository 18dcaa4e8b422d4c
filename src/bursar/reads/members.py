"""Looks at people: whoever is signed in, and the members of an organization."""

from bursar.domain.access import Permission, Standing
from bursar.domain.ids import MemberId, uuid_of
from bursar.domain.orgs import Colleague, Me
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_colleague, row_to_membership, row_to_user
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.SELF)
async def me(tx: ReadTx) -> Me:
    """The person signed in; without an organization, a person is bound to themselves.

    Raises:
        NotFound: no such person.
    """
    user_id = uuid_of(tx.org_id)
    row = await tx.fetchrow(Q.user, user_id)
    if row is None:
        raise NotFound("No such person.")
    memberships = await tx.fetch(Q.memberships, user_id)
    found = tuple(map(row_to_membership, memberships))
    return Me(row_to_user(row), found, has_second_factor=row["has_second_factor"])


@query(requires=Permission.MEMBER_READ)
async def members(tx: ReadTx, page: Page) -> Paged[Colleague]:
    """The members, first come first; always by page number."""
    assert not page.is_cursor, "members are few"
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(Q.members, org_id, page.fetched, page.offset)
    count = await total_count(tx, page, rows, Q.count_members, org_id, COUNTED_MAX)
    return paged([*map(row_to_colleague, rows)], page, total_count=count)


@query(requires=Permission.MEMBER_READ)
async def member(tx: ReadTx, member_id: MemberId) -> Colleague:
    """One of them.

    Raises:
        NotFound: no such member in this organization.
    """
    row = await tx.fetchrow(Q.member, uuid_of(tx.org_id), uuid_of(member_id))
    if row is None:
        raise NotFound(f"No member {member_id}.")
    return row_to_colleague(row)


@query(requires=Permission.ORG_READ)
async def standing(tx: ReadTx) -> Standing:
    """Who asks, and as what: read anew in every transaction."""
    return tx.standing
