"""Teams over HTTP: inviting, joining, roles, leaving, and organizations that end."""

import asyncio

import pytest
from tests.api.client import Client, Response
from tests.api.people import key_client, member, things_of
from tests.support.world import PASSWORD, Org, World

from bursar.domain.access import ROLE_PERMISSIONS, Role
from bursar.domain.ids import UserId, uuid_of
from bursar.domain.mails import MailKind
from bursar.domain.orgs import User
from bursar.flows.sign_in import SignUp, sign_up
from bursar.operations.members import InviteMember, invite_member
from bursar.runtime.ids import new_uuid
from bursar.runtime.tokens import new_invitation_token

MEMBERS = "/v1/members"
ACCEPT = "/v1/auth/accept-invitation"


@pytest.fixture
async def org(world: World) -> Org:
    """A new organization whose owner may invite."""
    made = await world.org()
    await world.verify(made.user_id)
    return made


def an_address() -> str:
    return f"{new_uuid().hex}@example.com"


async def signed_up(world: World, anyone: Client, email: str) -> tuple[User, Client]:
    signed = await sign_up(world.system(None), SignUp(email, "Newly Come", PASSWORD))
    assert signed.user is not None
    return signed.user, anyone.bearing(signed.access_token)


async def invited(org: Org, email: str, role: Role) -> tuple[str, str]:
    """An invitation's place and the token that its mail carried."""
    made = await org.caller.run(invite_member, InviteMember(email, role))
    await org.world.work()
    letter = org.world.mailbox.newest(email, MailKind.INVITATION)
    assert letter.parameters["role"] == role.value
    assert letter.parameters["token"] in org.world.mailbox.print_letter(letter).text
    return made.id, letter.parameters["token"]


async def the_members(client: Client) -> dict[str, tuple[str, str]]:
    listed = await client.get(f"{MEMBERS}?pageSize=100")
    return {each["email"]: (each["role"], each["status"]) for each in listed.value}


async def member_id(owner: Client, user_id: UserId) -> str:
    listed = (await owner.get(MEMBERS)).value
    return next(str(each["id"]) for each in listed if each["userId"] == user_id)


async def told(owner: Client, resource_id: str) -> list[str]:
    log = await owner.get(f"/v1/audit-log?resourceId={resource_id}")
    return [entry["action"] for entry in reversed(log.value)]


async def test_from_an_invitation_to_a_farewell(
    world: World, anyone: Client, org: Org, owner: Client
) -> None:
    # Invited, joined with the invited address, promoted, gone; each step is in the audit log.
    email = an_address()
    made = await owner.post(f"{MEMBERS}/invitations", {"email": email.upper(), "role": "viewer"})
    assert (made.status, made.value["status"]) == (201, "invited")
    assert made.headers["location"] == f"{MEMBERS}/{made.value['id']}"
    assert "token" not in made.body.decode().lower()
    place, token = await invited(org, email, Role.ACCOUNTANT)
    assert place == made.value["id"]

    user, guest = await signed_up(world, anyone, email)
    joined = await guest.post(ACCEPT, {"token": token})
    assert joined.status == 200, joined.body
    assert joined.value["organization"]["id"] == org.id
    assert (joined.value["member"]["id"], joined.value["member"]["role"]) == (place, "accountant")
    inside = guest.bearing(guest.headers["authorization"].split()[1], org.id)
    assert (await inside.get(MEMBERS)).status == 200
    (mine,) = (await guest.get("/v1/organizations")).value
    assert (mine["organizationId"], mine["role"]) == (org.id, "accountant")

    promoted = await owner.patch(f"{MEMBERS}/{place}", {"role": "admin"})
    assert (promoted.status, promoted.value["role"]) == (200, "admin")
    assert (await inside.post(f"/v1/organizations/{org.id}/leave")).status == 204
    assert (await inside.get(MEMBERS)).status == 404
    assert (await owner.get(f"{MEMBERS}/{place}")).status == 404
    assert await told(owner, place) == [
        *("member.invited", "member.invited", "member.added"),
        *("member.role_changed", "member.left"),
    ]
    assert user.email not in await the_members(owner)


async def test_a_token_opens_one_door_once(
    world: World, anyone: Client, org: Org, owner: Client
) -> None:
    # Not for another address, not twice, not after another invitation, not when taken back.
    email = an_address()
    _, first = await invited(org, email, Role.VIEWER)
    place, token = await invited(org, email, Role.VIEWER)
    _, guest = await signed_up(world, anyone, email)
    _, thief = await signed_up(world, anyone, an_address())
    stolen = await thief.post(ACCEPT, {"token": token})
    assert (stolen.status, stolen.error["code"]) == (403, "PERMISSION_DENIED")
    for worthless in (first, new_invitation_token(), "bsi_x", token + "x"):
        assert (await guest.post(ACCEPT, {"token": worthless})).status == 404
    assert (await guest.post(ACCEPT, {"token": token})).status == 200
    assert (await guest.post(ACCEPT, {"token": token})).status == 404
    assert (await owner.delete(f"{MEMBERS}/{place}")).status == 204
    again, token = await invited(org, email, Role.VIEWER)
    assert again != place
    assert (await owner.delete(f"{MEMBERS}/{again}")).status == 204
    assert (await guest.post(ACCEPT, {"token": token})).status == 404


async def test_many_show_one_token(world: World, anyone: Client, org: Org) -> None:
    # One takes the place; the organization has one member more, not two.
    email = an_address()
    _, token = await invited(org, email, Role.VIEWER)
    user, guest = await signed_up(world, anyone, email)
    answers = await asyncio.gather(*(guest.post(ACCEPT, {"token": token}) for _ in range(8)))
    first, *rest = sorted(answer.status for answer in answers)
    assert first == 200
    assert set(rest) <= {404, 409}, rest  # it is used up, or is being used at this moment
    owner = anyone.bearing(org.access_token, org.id)
    assert [each["userId"] for each in (await owner.get(MEMBERS)).value].count(user.id) == 1


async def test_who_belongs_is_not_invited(owner: Client, org: Org) -> None:
    # A member's address is a conflict, however it is spelled.
    (me,) = (await owner.get(MEMBERS)).value
    body = {"email": me["email"].upper(), "role": "viewer"}
    answer = await owner.post(f"{MEMBERS}/invitations", body)
    assert (answer.status, answer.error["code"]) == (409, "CONFLICT")


@pytest.mark.parametrize("role", ["admin", "accountant", "viewer"])
async def test_nobody_rises_above_themselves(
    role: str, world: World, anyone: Client, org: Org, owner: Client
) -> None:
    # An administrator touches no owner and makes none; the others touch nobody.
    somebody = await member(world, org, Role(role), anyone)
    boss = await member_id(owner, org.user_id)
    tries = [
        await somebody.post(f"{MEMBERS}/invitations", {"email": an_address(), "role": "owner"}),
        await somebody.patch(f"{MEMBERS}/{boss}", {"role": "viewer"}),
        await somebody.delete(f"{MEMBERS}/{boss}"),
        await somebody.delete(f"/v1/organizations/{org.id}"),
        await somebody.post(f"/v1/organizations/{org.id}/transfer-ownership", {"memberId": boss}),
    ]
    assert [answer.status for answer in tries] == [403] * 5
    if role == "admin":
        body = {"email": an_address(), "role": "admin"}
        assert (await somebody.post(f"{MEMBERS}/invitations", body)).status == 201


async def test_the_last_owner_stays(owner: Client, org: Org) -> None:
    # Neither demoted nor removed nor gone.
    boss = await member_id(owner, org.user_id)
    for answer in (
        await owner.patch(f"{MEMBERS}/{boss}", {"role": "admin"}),
        await owner.delete(f"{MEMBERS}/{boss}"),
        await owner.post(f"/v1/organizations/{org.id}/leave"),
    ):
        assert (answer.status, answer.error["code"]) == (409, "CONFLICT")
        assert answer.error["docUrl"].endswith("last_owner")


@pytest.mark.parametrize("how", ["demote each other", "leave", "remove each other"])
async def test_owners_who_go_at_once(
    how: str, world: World, anyone: Client, org: Org, owner: Client
) -> None:
    # However they race, one of them is an owner afterwards.
    other = await member(world, org, Role.OWNER, anyone)
    ids = {each["id"] for each in (await owner.get(MEMBERS)).value}
    mine = await member_id(owner, org.user_id)
    (theirs,) = ids - {mine}

    async def go(client: Client, target: str) -> Response:
        if how == "leave":
            return await client.post(f"/v1/organizations/{org.id}/leave")
        if how == "demote each other":
            return await client.patch(f"{MEMBERS}/{target}", {"role": "viewer"})
        return await client.delete(f"{MEMBERS}/{target}")

    answers = await asyncio.gather(go(owner, theirs), go(other, mine))
    assert {answer.status for answer in answers} <= {200, 204, 403, 404, 409}
    connection = await world.house.as_owner()
    left = await connection.fetchval(
        "SELECT count(*) FROM members WHERE org_id = $1 AND role = 'owner' AND status = 'active'",
        uuid_of(org.id),
    )
    await connection.close()
    assert left == 1


async def test_ownership_goes_over(world: World, anyone: Client, org: Org, owner: Client) -> None:
    # The other owns it, the former owner administers; an invitation cannot own anything.
    heir = await member(world, org, Role.ACCOUNTANT, anyone)
    mine = await member_id(owner, org.user_id)
    ids = {each["id"] for each in (await owner.get(MEMBERS)).value}
    (theirs,) = ids - {mine}
    path = f"/v1/organizations/{org.id}/transfer-ownership"
    waiting, _ = await invited(org, an_address(), Role.ADMIN)
    assert (await owner.post(path, {"memberId": waiting})).status == 409
    assert (await owner.post(path, {"memberId": mine})).fields == {"memberId"}
    done = await owner.post(path, {"memberId": theirs}, x_audit_reason="I retire")
    assert (done.status, done.value["role"]) == (200, "owner")
    assert (await owner.post(path, {"memberId": theirs})).status == 403
    (entry, *_) = (await heir.get(f"/v1/audit-log?resourceId={mine}")).value
    assert (entry["action"], entry["reason"]) == ("member.role_changed", "I retire")
    assert entry["before"] == {"role": "owner"}


async def test_a_version_that_is_gone(owner: Client, org: Org) -> None:
    # A role is changed at the version that was seen, or not.
    place, _ = await invited(org, an_address(), Role.VIEWER)
    stale = await owner.patch(f"{MEMBERS}/{place}", {"role": "admin"}, if_match='"7"')
    assert stale.status == 412
    good = await owner.patch(f"{MEMBERS}/{place}", {"role": "admin"}, if_match='"1"')
    assert (good.status, good.headers["etag"]) == (200, '"2"')


async def test_an_organization_ends(world: World, anyone: Client, org: Org, owner: Client) -> None:
    # What is open prevents it; afterwards nobody enters, no key works, and the books stay.
    path = f"/v1/organizations/{org.id}"
    key = await key_client(org, "billing:read", anyone)
    draft = await org.draft(await org.customer())
    _, token = await invited(org, email := an_address(), Role.VIEWER)
    refused = await owner.delete(path)
    assert (refused.status, refused.error["unfinished"]) == (409, {"invoices": 1})
    assert (await owner.delete(f"/v1/invoices/{draft.id}")).status == 204
    gone = await owner.delete(path, idempotency_key="the-end", x_audit_reason="moved away")
    assert gone.status == 204
    again = await owner.delete(path, idempotency_key="the-end")
    assert (again.status, again.headers["idempotent-replayed"]) == (204, "true")
    for asked in (path, "/v1/customers", "/v1/events", MEMBERS):
        assert (await owner.get(asked)).status == 404
    assert (await key.get("/v1/customers")).status == 401
    assert (await owner.post("/v1/customers", {"email": "a@b.cd", "name": "A"})).status == 404
    assert (await anyone.bearing(org.access_token).get("/v1/organizations")).value == []
    _, guest = await signed_up(world, anyone, email)
    assert (await guest.post(ACCEPT, {"token": token})).status == 404
    connection = await world.house.as_owner()
    query = "SELECT actor, reason FROM events WHERE org_id = $1 AND type = 'organization.deleted'"
    (row,) = await connection.fetch(query, uuid_of(org.id))
    await connection.close()
    assert (row["actor"], row["reason"]) == (f"user:{org.user_id}", "moved away")


async def test_nothing_opens_while_an_organization_ends(
    world: World, org: Org, owner: Client
) -> None:
    # Whoever began before is waited for, whoever comes after finds nothing: never an open rest.
    customer = await org.customer()
    body = {
        "customerId": customer.id,
        "lines": [{"description": "Work", "quantity": 1, "unitAmountCents": 100}],
    }
    answers = await asyncio.gather(
        *(owner.post("/v1/invoices", body) for _ in range(4)),
        owner.delete(f"/v1/organizations/{org.id}"),
        *(owner.post("/v1/invoices", body) for _ in range(4)),
    )
    ended = answers[4].status == 204
    assert answers[4].status in {204, 409}
    connection = await world.house.as_owner()
    query = "SELECT count(*) FROM invoices WHERE org_id = $1"
    left = await connection.fetchval(query, uuid_of(org.id))
    await connection.close()
    assert left == sum(answer.status == 201 for answer in answers)
    assert left == 0 or not ended


async def test_inviting_and_live_mode_need_a_verified_address(world: World, anyone: Client) -> None:
    # A 403 that says so; accepting an invitation proves the address it was sent to.
    boss = await world.org()
    owner = anyone.bearing(boss.access_token, boss.id)
    invitation = {"email": an_address(), "role": "admin"}
    live = {"name": "Real", "mode": "live"}
    for answer in (
        await owner.post(f"{MEMBERS}/invitations", invitation),
        await owner.post("/v1/organizations", live),
    ):
        assert answer.status == 403
        assert answer.error["docUrl"].endswith("address_not_verified")
    await world.verify(boss.user_id)
    assert (await owner.post("/v1/organizations", live)).status == 201
    _, token = await invited(boss, email := an_address(), Role.ADMIN)
    _, guest = await signed_up(world, anyone, email)
    assert (await guest.post("/v1/organizations", live)).status == 403
    assert (await guest.post(ACCEPT, {"token": token})).status == 200
    assert (await guest.post("/v1/organizations", live)).status == 201


async def test_everybody_can_see_what_they_may(
    world: World, anyone: Client, org: Org, owner: Client
) -> None:
    # The list is the access table, and says which of it the caller holds: a change counts at once.
    somebody = await member(world, org, Role.VIEWER, anyone)
    listed = (await somebody.get("/v1/permissions")).value
    held = {each["permission"] for each in listed if each["isHeld"]}
    assert held == {permission.value for permission in ROLE_PERMISSIONS[Role.VIEWER]}
    (row,) = [each for each in listed if each["permission"] == "org:delete"]
    assert (row["roles"], row["scopes"], row["isHeld"]) == (["owner"], [], False)
    ids = {each["id"] for each in (await owner.get(MEMBERS)).value}
    (theirs,) = ids - {await member_id(owner, org.user_id)}
    await owner.patch(f"{MEMBERS}/{theirs}", {"role": "accountant"})
    later = (await somebody.get("/v1/permissions")).value
    assert "invoice:finalize" in {each["permission"] for each in later if each["isHeld"]}


async def test_what_keeps_an_organization_from_ending(org: Org, owner: Client) -> None:
    # Each noun with something open is counted: drafts, money in wallets, holds, subscriptions.
    await things_of(org)
    refused = await owner.delete(f"/v1/organizations/{org.id}")
    assert refused.status == 409
    assert refused.error["unfinished"].keys() >= {"invoices", "wallets", "holds", "subscriptions"}
    assert (await owner.get(f"/v1/organizations/{org.id}")).status == 200
