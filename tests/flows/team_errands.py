"""Errands about organizations and who is in them, for the tour: each dies at each of its points."""

from typing import Final

from tests.api.client import Client
from tests.api.people import member
from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import AUTH, Arrange, Request
from tests.support.world import PASSWORD, Org

from bursar.domain.access import Role
from bursar.domain.ids import uuid_of
from bursar.domain.mails import MailKind
from bursar.jobs.handlers import run_task
from bursar.operations.members import InviteMember, invite_member
from bursar.runtime.ids import new_uuid

SHUT_OUT: Final = (401, 403, 404)
USED: Final = (400, 404, 409)
OWNERS: Final = "SELECT count(*) FROM members WHERE org_id = $1 AND role = 'owner'"
JOINED: Final = "SELECT count(*) FROM members WHERE org_id = $1 AND role = 'viewer'"
GONE: Final = "SELECT count(*) FROM organizations WHERE org_id = $1 AND deleted_at IS NOT NULL"


async def _own_org(stage: Stage) -> tuple[Org, Client]:
    org = await stage.world.org()
    await stage.world.verify(org.user_id)
    return org, stage.http.bearing(org.access_token, org.id)


async def _accept(stage: Stage) -> Request:
    email = f"{new_uuid().hex}@example.com"
    body = {"email": email, "password": PASSWORD, "name": "Guest"}
    answer = await stage.http.post(f"{AUTH}/register", body)
    assert answer.status == 201, answer.body
    org, _ = await _own_org(stage)
    await org.caller.run(invite_member, InviteMember(email, Role.VIEWER))
    for job in await stage.claim(is_anyones=True):
        await run_task(stage.world.app, job)
    token = stage.world.mailbox.newest(email, MailKind.INVITATION).parameters["token"]
    guest = stage.http.bearing(answer.value["accessToken"])
    path = f"{AUTH}/accept-invitation"
    return Request(guest, "POST", path, {"token": token}, JOINED, uuid_of(org.id), again=USED)


async def _rotate_key(stage: Stage) -> Request:
    made = await stage.client.post("/v1/api-keys", {"name": "Old", "scopes": ["billing:read"]})
    return Request(stage.client, "POST", f"/v1/api-keys/{made.value['id']}/rotate")


async def _delete_org(stage: Stage) -> Request:
    org, owner = await _own_org(stage)
    path = f"/v1/organizations/{org.id}"
    return Request(owner, "DELETE", path, None, GONE, uuid_of(org.id), again=SHUT_OUT)


async def _leave(stage: Stage) -> Request:
    org, _ = await _own_org(stage)
    guest = await member(stage.world, org, Role.VIEWER, stage.http)
    return Request(guest, "POST", f"/v1/organizations/{org.id}/leave", again=SHUT_OUT)


async def _hand_over(stage: Stage) -> Request:
    org, owner = await _own_org(stage)
    await member(stage.world, org, Role.ADMIN, stage.http)
    listed = (await owner.get("/v1/members")).value
    other = next(each["id"] for each in listed if each["role"] == Role.ADMIN.value)
    body, path = {"memberId": other}, f"/v1/organizations/{org.id}/transfer-ownership"
    return Request(owner, "POST", path, body, OWNERS, uuid_of(org.id), again=SHUT_OUT)


TEAM_ERRANDS: Final[tuple[Arrange, ...]] = (_accept, _rotate_key, _delete_org, _leave, _hand_over)
