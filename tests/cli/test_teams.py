"""`bursar org`, `bursar member` and `bursar apikey rotate` at the terminal."""

import pytest
from tests.cli.conftest import Terminal
from tests.support.world import PASSWORD, World

from bursar.cli.failing import Exit
from bursar.domain.ids import uuid_of
from bursar.domain.mails import MailKind
from bursar.flows.sign_in import SignUp, sign_up
from bursar.runtime.ids import new_uuid


def an_address() -> str:
    return f"{new_uuid().hex}@example.com"


async def test_members_come_and_go(terminal: Terminal, world: World) -> None:
    # Invited by mail, listed, given another role, removed; whoever sits there is named in the log.
    org, email = await world.org(), an_address()
    of = ("--org", org.id)
    made = await terminal.run("member", "invite", email, "--role", "accountant", *of)
    assert (made.code, made.value["status"]) == (Exit.DONE, "invited"), made.err
    await world.work()
    letter = world.mailbox.newest(email, MailKind.INVITATION)
    assert letter.parameters["token"] not in made.text
    listed = await terminal.run("member", "list", *of)
    assert {each["email"]: each["role"] for each in listed.value}[email] == "accountant"
    place = made.value["id"]
    changed = await terminal.run("member", "role", place, "--role", "viewer", *of)
    assert changed.value["role"] == "viewer"
    gone = await terminal.run("member", "remove", place, *of, "--yes", "--reason", "left us")
    assert gone.value["status"] == "removed"
    told = await terminal.run("audit", "query", *of, "--action", "member.removed")
    (entry,) = told.value
    assert (entry["actor"].partition(":")[0], entry["reason"]) == ("cli", "left us")


async def test_the_last_owner_stays_at_the_terminal_too(terminal: Terminal, world: World) -> None:
    # A conflict, and nothing changed; without --yes and a terminal nothing is even tried.
    org = await world.org()
    of = ("--org", org.id)
    (owner,) = (await terminal.run("member", "list", *of)).value
    for verb in (("remove", owner["id"], "--yes"), ("role", owner["id"], "--role", "admin")):
        assert (await terminal.run("member", *verb, *of)).code == Exit.CONFLICT
    assert (await terminal.run("member", "remove", owner["id"], *of)).code == Exit.USAGE


async def test_an_organization_from_its_name_to_its_end(terminal: Terminal, world: World) -> None:
    # Founded for somebody who is registered, renamed, and deleted once nothing is open.
    email = an_address()
    await sign_up(world.system(None), SignUp(email, "Olga", PASSWORD))
    founding = ("org", "create", "--name", "Acme", "--currency")
    assert (await terminal.run(*founding, "xxx", "--owner", email)).code == Exit.INVALID
    assert (await terminal.run(*founding, "eur", "--owner", "x@y.zz")).code == Exit.NOT_FOUND
    made = await terminal.run(*founding, "eur", "--owner", email)
    assert (made.value["name"], made.value["currency"]) == ("Acme", "eur"), made.err
    of = ("--org", made.value["id"])
    assert (await terminal.run("org", "rename", "Acme SE", *of)).value["name"] == "Acme SE"
    assert (await terminal.run("org", "delete", *of)).code == Exit.USAGE
    gone = await terminal.run("org", "delete", *of, "--yes")
    assert gone.value["deletedAt"] is not None


async def test_an_operator_is_named(terminal: Terminal, world: World) -> None:
    # The installation's own mark on a person, given and taken back; nobody else has it.
    email = an_address()
    signed = await sign_up(world.system(None), SignUp(email, "Olga", PASSWORD))
    assert signed.user is not None
    connection = await world.house.as_owner()
    query = "SELECT is_operator FROM directory.users WHERE id = $1"
    for arguments, wanted in (((), True), (("--no-longer",), False)):
        said = await terminal.run("member", "operator", email.upper(), *arguments)
        assert said.code == Exit.DONE, said.err
        assert await connection.fetchval(query, uuid_of(signed.user.id)) is wanted
    await connection.close()
    assert (await terminal.run("member", "operator", "x@y.zz")).code == Exit.NOT_FOUND


@pytest.mark.parametrize("address", ["203.0.113.0/24", "2001:db8::/32"])
async def test_a_key_is_rotated(terminal: Terminal, world: World, address: str) -> None:
    # The successor is shown once, with the same scopes and addresses.
    org = await world.org()
    of = ("--org", org.id)
    made = await terminal.run("apikey", "create", "--name", "k", "--address", address, *of)
    rotated = await terminal.run("apikey", "rotate", made.value["id"], *of)
    assert rotated.value["key"].startswith("bsk_")
    assert rotated.value["allowedAddresses"] == [address]
    again = await terminal.run("apikey", "rotate", made.value["id"], *of)
    assert again.code == Exit.CONFLICT
    wrong = await terminal.run("apikey", "create", "--name", "k", "--address", "here", *of)
    assert wrong.code == Exit.INVALID
