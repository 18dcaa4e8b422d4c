"""Signing up, in, on and out; organizations; API keys."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from tests.support.world import PASSWORD, World

from bursar.domain.access import ApiKey, Person
from bursar.domain.customers import Customer
from bursar.domain.frozen import replace
from bursar.domain.ids import SessionId, UserId
from bursar.domain.refusals import (
    EmailTaken,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    RefreshTokenReused,
    WrongCredentials,
)
from bursar.flows.sign_in import SignIn, SignUp, sign_in, sign_on, sign_out, sign_up
from bursar.operations.api_keys import (
    CreateApiKey,
    RevokeApiKey,
    create_api_key,
    revoke_api_key,
)
from bursar.operations.customers import CreateCustomer, create_customer
from bursar.reads.customers import customer as one_customer


def _email() -> str:
    return f"{uuid4().hex}@example.com"


async def test_a_person_registers_once(world: World) -> None:
    # The same address in other letters is the same address.
    email = _email()
    nobody = world.system(None)
    await sign_up(nobody, SignUp(email, "Ann", PASSWORD))
    with pytest.raises(EmailTaken):
        await sign_up(nobody, SignUp(email.upper(), "Ann", PASSWORD))


async def test_wrong_password_and_unknown_address_are_one_answer(world: World) -> None:
    # Neither tells which of the two it was.
    email = _email()
    await sign_up(world.system(None), SignUp(email, "Ann", PASSWORD))
    told = set()
    for address, password in ((email, "wrong-Password-1"), (_email(), PASSWORD)):
        with pytest.raises(WrongCredentials) as refused:
            await sign_in(world.system(None), SignIn(email=address, password=password))
        told.add(refused.value.message)
    assert len(told) == 1


async def test_a_refresh_token_works_once(world: World) -> None:
    # Using it again revokes the whole family, the newest token included.
    signed = await sign_up(world.system(None), SignUp(_email(), "Ann", PASSWORD))
    newer = await sign_on(world.system(None), signed.refresh_token)
    with pytest.raises(RefreshTokenReused):
        await sign_on(world.system(None), signed.refresh_token)
    with pytest.raises(NotAuthenticated):
        await sign_on(world.system(None), newer.refresh_token)


async def test_of_many_refreshes_at_once_one_wins(world: World) -> None:
    # The token is claimed by one UPDATE.
    signed = await sign_up(world.system(None), SignUp(_email(), "Ann", PASSWORD))
    results = await asyncio.gather(
        *(sign_on(world.system(None), signed.refresh_token) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1


async def test_logging_out_ends_the_access_token(world: World) -> None:
    # The session is checked in every transaction.
    signed = await sign_up(world.system(None), SignUp(_email(), "Ann", PASSWORD, "Firm"))
    assert signed.organization is not None
    claims = world.app.access_tokens.read(signed.access_token, datetime.now(UTC))
    person = Person(UserId(claims.subject), SessionId(claims.session_id))
    caller = replace(world.system(signed.organization.id), actor=person)
    command = CreateCustomer(email="a@b.example", name="x", metadata={})
    await caller.run(create_customer, command)
    await sign_out(world.system(None), signed.refresh_token)
    with pytest.raises(NotAuthenticated):
        await caller.run(create_customer, command)


async def test_a_stranger_sees_no_organization(world: World) -> None:
    # A person without a membership gets the answer of an unknown organization.
    mine, theirs = await world.org(), await world.org()
    with pytest.raises(NotFound):
        await replace(mine.caller, org_id=theirs.id).run(
            create_customer, CreateCustomer(email="a@b.example", name="x", metadata={})
        )


async def test_an_api_key_acts_within_its_scopes(world: World) -> None:
    # It reads with billing:read, and is told which permission is missing for more.
    org = await world.org()
    issued = await org.caller.run(create_api_key, CreateApiKey(name="r", scopes=("billing:read",)))
    found = await world.app.find_api_key([issued.record.key_hash])
    assert found is not None
    caller = replace(org.caller, actor=ApiKey(found.key_id, found.scopes))
    made: Customer = await org.customer(token=None)
    assert (await caller.look(one_customer, made.id)).id == made.id
    with pytest.raises(NotAllowed) as refused:
        await caller.run(
            create_customer, CreateCustomer(email="a@b.example", name="x", metadata={})
        )
    assert refused.value.facts == {"permission": "customer:write"}


async def test_keys_are_looked_up_together(world: World) -> None:
    # Among many that arrive at once each gets its own answer, by whichever of its hashes is stored.
    orgs = [await world.org() for _ in range(3)]
    command = CreateApiKey(name="r", scopes=("billing:read",))
    issued = [await org.caller.run(create_api_key, command) for org in orgs]
    hashes = [bytes([number]) * 36 for number in range(5)]
    asked = [[each] for each in hashes]
    for key, by_old_key in zip(issued, asked[1:], strict=False):
        by_old_key.append(key.record.key_hash)
    found = await asyncio.gather(*(world.app.find_api_key(each) for each in asked))
    assert [each and each.org_id for each in found] == [None, *(org.id for org in orgs), None]


async def test_a_revoked_key_stops_at_once(world: World) -> None:
    # Not at the next look-up of the key: in the next transaction.
    org = await world.org()
    issued = await org.caller.run(create_api_key, CreateApiKey(name="w", scopes=("billing:write",)))
    caller = replace(org.caller, actor=ApiKey(issued.record.id, issued.record.scopes))
    command = CreateCustomer(email="a@b.example", name="x", metadata={})
    await caller.run(create_customer, command)
    await org.caller.run(revoke_api_key, RevokeApiKey(issued.record.id))
    with pytest.raises(NotAuthenticated):
        await caller.run(create_customer, command)
    assert await world.app.find_api_key([issued.record.key_hash]) is None


async def test_an_unknown_scope_is_refused(world: World) -> None:
    # A key may only be narrower than its maker, by names that exist.
    org = await world.org()
    with pytest.raises(InvalidInput):
        await org.caller.run(create_api_key, CreateApiKey(name="x", scopes=("root",)))
