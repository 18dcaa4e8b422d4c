"""Rows of members: the places of an organization, taken, kept for somebody, or given up."""

from collections.abc import Iterable

from bursar.domain.access import Role
from bursar.domain.ids import MemberId, UserId, print_id, uuid_of
from bursar.domain.members import Member
from bursar.domain.refusals import NotFound
from bursar.domain.rows import row_to_member
from bursar.runtime import sql
from bursar.runtime.db import Tx
from bursar.store.saving import replaced

Q = sql.beside(__file__)


async def get(tx: Tx, member_id: MemberId) -> Member:
    """One place that is taken or kept for somebody.

    Raises:
        NotFound: no such member in this organization.
    """
    row = await tx.fetchrow(Q.get_member, uuid_of(tx.org_id), uuid_of(member_id))
    if row is None:
        raise NotFound(f"No member {member_id}.")
    return row_to_member(row)


async def of_user(tx: Tx, user_id: UserId) -> Member:
    """The place of a person.

    Raises:
        NotFound: they have none.
    """
    row = await tx.fetchrow(Q.member_of_user, uuid_of(tx.org_id), uuid_of(user_id))
    if row is None:
        raise NotFound(f"No member {user_id}.")
    return row_to_member(row)


async def invited(tx: Tx, email: str) -> Member | None:
    """The place kept for an address, if there is one."""
    row = await tx.fetchrow(Q.invited_member, uuid_of(tx.org_id), email)
    return None if row is None else row_to_member(row)


async def has_email(tx: Tx, email: str) -> bool:
    """Whether somebody with this address belongs to the organization."""
    return bool(await tx.fetchval(Q.has_email, email))


async def addresses(tx: Tx, roles: Iterable[Role]) -> list[tuple[str, str]]:
    """Address and name of everybody who has one of these roles."""
    rows = await tx.fetch(Q.addresses, [role.value for role in roles])
    return [(row["email"], row["name"]) for row in rows]


async def other_owners(tx: Tx, member_id: MemberId) -> int:
    """How many owners there are besides one; asked under the organization's lock."""
    count: int = await tx.fetchval(Q.other_owners, uuid_of(tx.org_id), uuid_of(member_id))
    return count


async def count(tx: Tx) -> int:
    """How many places are taken or kept."""
    found: int = await tx.fetchval(Q.count_members, uuid_of(tx.org_id))
    return found


async def find_invitation(tx: Tx, hashes: list[bytes]) -> tuple[str, MemberId] | None:
    """The organization and the place that an invitation's token opens."""
    row = await tx.fetchrow(Q.find_invitation, hashes)
    if row is None:
        return None
    return print_id("org", row["org_id"]), MemberId(print_id("mem", row["id"]))


async def save(tx: Tx, row: Member) -> None:
    """Insert version 1, or replace the version before.

    Raises:
        StaleVersion: somebody else replaced it first.
    """
    values = (
        uuid_of(tx.org_id),
        uuid_of(row.id),
        None if row.user_id is None else uuid_of(row.user_id),
        row.role.value,
        row.status.value,
        row.email,
        row.token_hash,
        row.invited_until,
        row.version,
        row.sequence,
        row.created_at,
        row.updated_at,
    )
    query = Q.insert_member if row.version == 1 else Q.update_member
    replaced(row, await tx.execute(query, *values))
