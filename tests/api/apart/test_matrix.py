"""Every route × everybody: each cell of `docs/reference/access.md` is asked and must be so.

The page is made from the access table and the routes, and approved by whoever commits it; here real
requests go through the real door. Whoever is refused leaves nothing behind, in no table and queue.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.api.client import Client, Response
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things, key_client, member
from tests.support.world import Org, World

from bursar.domain.access import SCOPE_PERMISSIONS, Role
from bursar.domain.ids import uuid_of
from bursar.operations.api_keys import CreateApiKey, RevokeApiKey, create_api_key, revoke_api_key
from bursar.operations.orgs import DeleteOrganization, delete_organization

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "reference" / "access.md"
SCOPES: Final = "scopes of keys that may"
AT_ONCE: Final = 8
SECONDS_MAX: Final = 60
STATE: Final = """
    SELECT n.nspname || '.' || c.relname AS name FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND n.nspname IN ('public', 'directory', 'queue') ORDER BY 1
"""


@dataclass(frozen=True)
class Caller:
    """Somebody before the door: in which column of the page, or with which scope."""

    name: str
    client: Client
    things: Things
    column: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class Cell:
    """One question, and what the page says to it."""

    operation: Operation
    caller: Caller
    says: str

    async def asked(self) -> str | None:
        """What is wrong with the answer, or nothing."""
        answer = await self.operation.ask(self.caller.client, self.caller.things)
        told = at_the_door(answer)
        if self.operation.audience == "anyone" and told == "401":
            told = "yes"  # no credential is read there: what was refused is a token in the body
        is_documented = answer.status in self.operation.statuses or told == "401"
        names_it = told != "403" or self.operation.needs.value in answer.body.decode()
        is_foreign = self.caller.column == "stranger's key"
        is_for_people = self.operation.audience == "person"
        if told == self.says and is_documented and (names_it or is_foreign or is_for_people):
            return None
        return f"{self.operation} as {self.caller.name}: {self.says} is {told}: {answer.body!r}"


def at_the_door(answer: Response) -> str:
    """`401`, `403` or `404` where the door was closed; `yes` where the request was heard."""
    if answer.status < 400:
        return "yes"
    reason = str(answer.error.get("docUrl", "")).rpartition("#")[2]
    if answer.status == 404 and answer.error["message"].startswith("No organization"):
        return "404"
    closed = {"not_authenticated": "401", "permission_missing": "403"}
    return closed.get(reason, "yes")


def the_page() -> dict[str, dict[str, str]]:
    """The approved table, by route."""
    rows = [
        [cell.strip().replace("`", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    head, _, *body = rows
    return {row[0]: dict(zip(head, row, strict=True)) for row in body}


def says(row: dict[str, str], caller: Caller) -> str:
    if caller.column is not None:
        return row[caller.column]
    may = caller.scope in row[SCOPES].split(", ") or row[SCOPES] == "no key needed"
    return "yes" if may else "403"


def test_every_route_is_on_the_page() -> None:
    # A route without a row has no approved access, and a row without a route is a lie.
    assert {str(operation) for operation in OPERATIONS} == set(the_page())


@pytest.fixture(scope="module")
async def everybody(world: World, anyone: Client) -> list[Caller]:
    """One of each, before one organization; a draft keeps its owner from deleting it."""
    org, other, gone = await world.org(), await world.org(), await world.org()
    await org.draft(await org.customer())
    here = Things({"org": org.id})
    gone_key = await key_client(gone, "billing:write", anyone)
    await gone.caller.run(delete_organization, DeleteOrganization())
    insiders = [
        Caller(role.value, await member(world, org, role, anyone), here, role.value)
        for role in Role
    ]
    programs = [
        Caller(scope, await key_client(org, scope, anyone), here, scope=scope)
        for scope in SCOPE_PERMISSIONS
    ]
    foreign = await key_client(other, "billing:write", anyone)
    strangers = [
        Caller("nobody", anyone, here, "no credential"),
        Caller("stranger", anyone.bearing(other.access_token, org.id), here, "stranger"),
        Caller("removed", await removed(world, org, anyone), here, "stranger"),
        Caller("foreign key", named(foreign, org), here, "stranger's key"),
        Caller("signed out", await signed_out(org, anyone), here, "ended session"),
        Caller("revoked key", await ended_key(org, anyone, is_revoked=True), here, "ended key"),
        Caller("expired key", await ended_key(org, anyone, is_revoked=False), here, "ended key"),
        Caller(
            "deleted",
            anyone.bearing(gone.access_token, gone.id),
            Things({"org": gone.id}),
            "deleted organization",
        ),
        Caller("its key", gone_key, Things({"org": gone.id}), "its key"),
    ]
    return [*strangers, *insiders, *programs]


def named(client: Client, org: Org) -> Client:
    return Client(client.app, {**client.headers, "x-org-id": org.id}, client.address)


async def removed(world: World, org: Org, anyone: Client) -> Client:
    """Somebody who was a member a moment ago."""
    client = await member(world, org, Role.ADMIN, anyone)
    assert (await client.post(f"/v1/organizations/{org.id}/leave")).status == 204
    return client


async def signed_out(org: Org, anyone: Client) -> Client:
    """A session of the owner that was ended."""
    body = {"email": await address_of(org), "password": "Correct-horse-7-battery"}
    signed = (await anyone.post("/v1/auth/login", body)).value
    ended = await anyone.post("/v1/auth/logout", {"refreshToken": signed["refreshToken"]})
    assert ended.status == 204
    return anyone.bearing(signed["accessToken"], org.id)


async def address_of(org: Org) -> str:
    connection = await org.world.house.as_owner()
    query = "SELECT email FROM directory.users WHERE id = $1"
    found: str = await connection.fetchval(query, uuid_of(org.user_id))
    await connection.close()
    return found


async def ended_key(org: Org, anyone: Client, *, is_revoked: bool) -> Client:
    command = CreateApiKey(name="ended", scopes=("billing:write",))
    issued = await org.caller.run(create_api_key, command)
    if is_revoked:
        await org.caller.run(revoke_api_key, RevokeApiKey(issued.record.id))
    else:
        connection = await org.world.house.as_owner()
        query = "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1"
        await connection.execute(query, uuid_of(issued.record.id))
        await connection.close()
    return anyone.bearing(issued.key)


async def everything(world: World) -> dict[str, str]:
    """A checksum of every table there is; when a key was last used is no effect of a request."""
    connection = await world.house.as_owner()
    try:
        tables = [row["name"] for row in await connection.fetch(STATE)]
        return {
            table: await connection.fetchval(
                "SELECT md5(coalesce(string_agg(row, '|' ORDER BY row), '')) FROM"
                f" (SELECT (to_jsonb(t) - 'last_used_at')::text AS row FROM {table} AS t) AS rows"
            )
            for table in tables
        }
    finally:
        await connection.close()


async def wrong(cells: Sequence[Cell]) -> list[str]:
    """What is not as the page says; a few are asked at once."""
    found: list[str] = []
    waiting = iter(cells)

    async def ask() -> None:
        for cell in waiting:
            fault = await cell.asked()
            if fault is not None:
                found.append(fault)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return found


async def test_every_cell(world: World, anyone: Client, everybody: list[Caller]) -> None:
    # The refused first: afterwards every table is as before. Then whoever may is heard.
    page, began = the_page(), time.monotonic()
    cells = [
        Cell(operation, caller, says(page[str(operation)], caller))
        for operation in OPERATIONS
        for caller in everybody
    ]
    refused = [cell for cell in cells if cell.says != "yes"]
    before = await everything(world)
    faults = await wrong(refused)
    assert faults == [], "\n".join(faults[:20])
    after = await everything(world)
    assert {name for name in after if after[name] != before[name]} == set()

    heard = [cell for cell in cells if cell.says == "yes"]
    # Whoever may leave is gone afterwards.
    leaving = [cell for cell in heard if cell.operation.path.endswith("/leave")]
    faults = await wrong([cell for cell in heard if cell not in leaving])
    faults += await wrong(leaving)
    assert faults == [], "\n".join(faults[:20])
    seconds = time.monotonic() - began
    print(
        f"permission matrix: {len(cells)} cells ({len(OPERATIONS)} routes × {len(everybody)}"
        f" callers, {len(refused)} refused without a trace) in {seconds:.0f} s"
    )
    assert seconds < SECONDS_MAX
