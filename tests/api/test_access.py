"""Credentials, organizations and sessions over HTTP."""

import pytest
from tests.api.client import Client
from tests.api.people import key_client
from tests.support.world import PASSWORD, Org, World

from bursar.runtime.tokens import new_api_key

CUSTOMERS = "/v1/customers"


async def test_a_person_names_the_organization(anyone: Client, org: Org) -> None:
    # Without x-org-id a person is asked for it by name; a malformed one is a 400.
    person = anyone.bearing(org.access_token)
    for text in (None, "", "org_1", org.id + "\t", org.id.upper(), org.id[4:]):
        headers = {} if text is None else {"x_org_id": text}
        answer = await person.get(CUSTOMERS, **headers)
        if text == org.id + "\t":
            assert answer.status == 200, "blanks around a header's value are no part of it"
            continue
        assert (answer.status, answer.fields) == (400, {"x-org-id"}), text


async def test_a_key_has_its_organization(anyone: Client, org: Org, world: World) -> None:
    # A key needs no header, may repeat its own organization, and is refused for another.
    key = await key_client(org, "billing:read", anyone)
    other = await world.org()
    assert (await key.get(CUSTOMERS)).status == 200
    assert (await key.get(CUSTOMERS, x_org_id=org.id)).status == 200
    foreign = await key.get(CUSTOMERS, x_org_id=other.id)
    assert (foreign.status, foreign.error["code"]) == (403, "PERMISSION_DENIED")


async def test_keys_that_are_none(anyone: Client, org: Org) -> None:
    # A mistyped, an unknown and a revoked key are one and the same 401.
    made = await anyone.bearing(org.access_token, org.id).post(
        "/v1/api-keys", {"name": "k", "scopes": ["billing:read"]}
    )
    key, key_id = made.value["key"], made.value["id"]
    assert (await anyone.bearing(key).get(CUSTOMERS)).status == 200
    revoke = f"/v1/api-keys/{key_id}/revoke"
    assert (await anyone.bearing(org.access_token, org.id).post(revoke)).status == 200
    said = set()
    for text in (key, key[:-1] + ("a" if key[-1] != "a" else "b"), new_api_key(), key + "x"):
        answer = await anyone.bearing(text).get(CUSTOMERS)
        said.add((answer.status, answer.error["code"]))
    assert said == {(401, "AUTHENTICATION_ERROR")}


async def test_an_expired_key(anyone: Client, org: Org) -> None:
    # A key cannot be made to expire in the past.
    owner = anyone.bearing(org.access_token, org.id)
    body = {"name": "k", "scopes": ["billing:read"], "expiresAt": "2020-01-01T00:00:00Z"}
    assert (await owner.post("/v1/api-keys", body)).fields == {"expiresAt"}


async def test_keys_are_for_no_person(anyone: Client, org: Org) -> None:
    # What is about a person is closed to programs.
    key = await key_client(org, "billing:write", anyone)
    for path in ("/v1/auth/me", "/v1/organizations"):
        assert (await key.get(path)).status == 403
    assert (await key.get(f"/v1/organizations/{org.id}")).status == 200


async def test_two_credentials(anyone: Client, org: Org) -> None:
    # A request that carries two credentials is no request of either.
    bearer = b"Bearer " + org.access_token.encode()
    headers = [
        (b"host", b"localhost"),
        (b"x-org-id", org.id.encode()),
        (b"authorization", bearer),
        (b"authorization", bearer),
    ]
    assert (await anyone.send("GET", CUSTOMERS, b"", headers)).status == 400


@pytest.mark.parametrize("name", ["api_key", "access_token", "token", "authorization"])
async def test_credentials_in_the_query(name: str, owner: Client) -> None:
    # A credential in a URL is refused and named, whoever else signs the request.
    answer = await owner.get(f"{CUSTOMERS}?{name}=bsk_abcdefgh")
    assert (answer.status, answer.fields) == (400, {name})
    assert answer.codes == {"credential_in_query"}
    assert b"abcdefgh" not in answer.body


async def test_the_life_of_a_session(anyone: Client) -> None:
    # Sign up, refresh once, and sign out; a refresh token that comes back ends everything.
    body = {"email": "Life@Example.com", "password": PASSWORD, "name": "Lia"}
    up = await anyone.post("/v1/auth/register", body)
    assert up.status == 201, up.body
    assert up.value["organization"] is None
    taken = await anyone.post("/v1/auth/register", body)
    assert (taken.status, taken.error["code"]) == (409, "CONFLICT")

    me = await anyone.bearing(up.value["accessToken"]).get("/v1/auth/me")
    assert (me.status, me.value["memberships"]) == (200, [])

    credentials = {"email": "life@example.com", "password": PASSWORD}
    first = await anyone.post("/v1/auth/login", credentials)
    assert first.value["user"]["id"] == up.value["user"]["id"]
    assert first.value["expiresIn"] == 900
    second = await anyone.post("/v1/auth/refresh", {"refreshToken": first.value["refreshToken"]})
    assert second.status == 200
    stolen = await anyone.post("/v1/auth/refresh", {"refreshToken": first.value["refreshToken"]})
    assert stolen.status == 401
    dead = await anyone.post("/v1/auth/refresh", {"refreshToken": second.value["refreshToken"]})
    assert dead.status == 401
    gone = await anyone.bearing(second.value["accessToken"]).get("/v1/auth/me")
    assert gone.status == 401

    fresh = await anyone.post("/v1/auth/login", credentials)
    out = await anyone.post("/v1/auth/logout", {"refreshToken": fresh.value["refreshToken"]})
    assert (out.status, out.body) == (204, b"")
    assert (await anyone.bearing(fresh.value["accessToken"]).get("/v1/auth/me")).status == 401


async def test_one_answer_for_every_wrong_sign_in(anyone: Client, org: Org) -> None:
    # An unknown address and a wrong password cannot be told apart.
    said = set()
    for email in ("nobody@example.com", "owner@example.com"):
        answer = await anyone.post("/v1/auth/login", {"email": email, "password": "Wrong-pass-1"})
        said.add((answer.status, answer.error["message"], answer.error["docUrl"]))
    assert len(said) == 1
    assert next(iter(said))[0] == 401


@pytest.mark.parametrize("text", ["short", "alllowercase1", "x" * 14, "new@example.com"])
async def test_passwords_that_are_refused(text: str, anyone: Client) -> None:
    # A weak password is a 400 that says what would be accepted.
    body = {"email": "new@example.com", "password": text, "name": "New"}
    assert (await anyone.post("/v1/auth/register", body)).fields == {"password"}


@pytest.mark.parametrize("text", ["bsr_x", "nonsense", "eyJhbGciOiJIUzI1NiJ9.e30.x"])
async def test_refresh_tokens_that_are_none(text: str, anyone: Client) -> None:
    # What was never a refresh token is a 401.
    assert (await anyone.post("/v1/auth/refresh", {"refreshToken": text})).status == 401
    assert (await anyone.post("/v1/auth/logout", {"refreshToken": text})).status == 401


async def test_a_reason_is_kept(owner: Client) -> None:
    # What a caller gives as their reason stands in the audit log, with the request's id.
    made = await owner.post(
        "/v1/customers",
        {"email": "a@example.com", "name": "A"},
        x_audit_reason="asked by phone, Jürgen".encode().decode("latin-1"),
    )
    log = await owner.get(f"/v1/audit-log?resourceId={made.value['id']}&action=customer.created")
    (entry,) = log.value
    assert entry["reason"] == "asked by phone, Jürgen"
    assert entry["requestId"] == made.headers["x-request-id"]
    assert entry["actor"].startswith("user:usr_")
    for text in ("\xff", "a\x01b", "x" * 501):
        answer = await owner.post("/v1/customers", {}, x_audit_reason=text)
        assert answer.fields == {"X-Audit-Reason"}
