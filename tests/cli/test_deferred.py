"""The list of commands, of which none is loaded before it is called: it says what they are."""

import pytest
from tests.cli.conftest import Terminal

from bursar.cli.deferred import Deferred
from bursar.cli.programs import Programs
from bursar.cli.root import build_root
from bursar.main import opened

COMMANDS = build_root(Programs(opened, "0.0.0")).commands
DEFERRED = [each for each in COMMANDS.values() if isinstance(each, Deferred)]


@pytest.mark.parametrize("listed", DEFERRED, ids=lambda each: each.name)
def test_the_list_says_what_the_command_says(listed: Deferred) -> None:
    # Help of the whole and help of the one are one text, under one name.
    command = listed.loaded()
    assert command.name == listed.name
    assert command.help is not None
    assert " ".join(command.help.partition("\n\n")[0].split()) == listed.help


def test_every_noun_waits() -> None:
    # Only what is as light as the list itself is loaded with it.
    light = {"version", "run", "demo", "serve", "worker"}
    assert {each.name for each in DEFERRED} == COMMANDS.keys() - light


async def test_a_command_is_entered_through_the_list(terminal: Terminal) -> None:
    # Help, a missing verb and a wrong option are the command's own; a wrong noun is the list's.
    said = await terminal.run("org", "--help")
    assert said.code == 0
    assert "bursar org [OPTIONS] COMMAND" in said.text
    assert (await terminal.run("verify", "--no-such-option")).code == 2
    assert (await terminal.run("org")).code == 2
    wrong = await terminal.run("invoic", "list")
    assert wrong.code == 2
    assert "No such command 'invoic'. Did you mean 'invoice'?" in wrong.err
    assert "No such command 'lst'. Did you mean 'list'?" in (await terminal.run("org", "lst")).err
